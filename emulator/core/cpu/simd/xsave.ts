// XSAVE, XSAVEOPT, XSAVEC, XRSTOR, XGETBV, XSETBV (SDM 1 chapter 13).

import { FAULT_DETAIL_NOT_IMPLEMENTED } from '../../layout'
import { raise } from '../fault'
import { EXC_UD } from '../vectors'

function absent(): u32 {
  raise(EXC_UD, 0, FAULT_DETAIL_NOT_IMPLEMENTED)
  return 1
}
export function xsave(ip: usize, what: u32): u32 {
  return absent()
}
export function xrstor(ip: usize): u32 {
  return absent()
}
export function xgetbv(): u32 {
  return absent()
}
export function xsetbv(): u32 {
  return absent()
}
