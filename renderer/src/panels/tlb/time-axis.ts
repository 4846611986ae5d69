// What sequences drawn in lanes have in common: time to the right from 0 to their end, as wide as their box, under an axis.
import { axisTop, scaleLinear, select } from 'd3'
import { computed, type Ref, watchEffect } from 'vue'
import { useElementSize } from '../../composables/use-element-size'
import { span } from './moments'

/** Where the axis stands and the first lane begins, pixels. */
export const AXIS_TOP = 20
/** Half of the last label of the axis, pixels. */
const RIGHT = 28

type Box = Readonly<Ref<HTMLElement | null>>
type Group = Readonly<Ref<SVGGElement | undefined>>

/**
 * @param box that the picture fills
 * @param axis the group in it that the axis is drawn into
 * @param left pixels for the names of the lanes
 * @param end of the sequence, ns, more than 0
 * @returns the size of the box, and `x`: pixels of a time in ns
 */
export function useTimeAxis(box: Box, axis: Group, left: number, end: Readonly<Ref<number>>) {
  const size = useElementSize(box)
  const x = computed(() => scaleLinear([0, end.value], [left, Math.max(left + 60, size.width - RIGHT)]))
  watchEffect(() => {
    if (!axis.value) return
    const count = Math.max(2, Math.floor((size.width - left) / 90))
    select(axis.value).call(
      axisTop(x.value)
        .ticks(count)
        .tickSize(4)
        .tickFormat((ns) => span(Number(ns))),
    )
  })
  return { size, x }
}
