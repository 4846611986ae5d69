// The firmware against SeaBIOS: one guest program calls a hundred services on both, the answers must be the same
// except where IBM's books say something else.
import { expect, test } from 'vitest'
import { DRIVE_ATA0 } from '../layout'
import { FirmwareMachine, guestImage, guestText } from '../testing/firmware'

/** Call -> what we answer where SeaBIOS answers differently, and why. */
const OURS: Record<string, string> = {
  // The capacity is the disk's (16 sectors), not that of a geometry rounded up to a cylinder.
  '13 1500 0000 0000 0080': '0300 0000 0000 0010 cZ',
  // Packet access and EDD parameters; no locking and ejecting of fixed disks (EDD 3.0, 8.3).
  '13 4100 55AA 0000 0080': '3000 AA55 0005 0080 cZ',
  // Without 55AAh in BX it is not this call.
  '13 4100 1234 0000 0080': '0100 1234 0000 0080 CZ',
  // Device open and device busy are hooks that succeed when nobody hangs on them (IBM BIOS Interface, INT 15h).
  '15 8000 0000 0000 0000': '0000 0000 0000 0000 cZ',
  '15 9000 0000 0000 0000': '0000 0000 0000 0000 cZ',
}

test('a hundred calls answer as in SeaBIOS', () => {
  const machine = new FirmwareMachine({
    drives: { [DRIVE_ATA0]: { content: guestImage('tests/bios-survey') } },
  })
  machine.run(5_000_000_000, () => machine.serial.includes('Done'))
  const seabios = guestText('tests/bios-survey.seabios.txt')
  const lines = (text: string) => text.split('\r\n').filter((line) => line !== '')
  const expected = lines(seabios).map((line) => {
    const call = line.split('>')[0]!
    return call in OURS ? `${call}> ${OURS[call]}` : line
  })
  const keyboard = (line: string) => /^16 [01][0-2]00/.test(line)
  expect(lines(machine.serial).filter((line) => !keyboard(line))).toEqual(
    expected.filter((line) => !keyboard(line)),
  )
  // INT 16h/00h passes F11 (8500h) over, as the 83-key interface must; SeaBIOS hands it out. The keys are the same.
  expect(lines(machine.serial).filter(keyboard)).toEqual([
    '16 0100 0000 0000 0000> 0100 0000 0000 0000 CZ',
    '16 0200 0000 0000 0000> 0200 0000 0000 0000 CZ',
    '16 0100 0000 0000 0000> 1E61 0000 0000 0000 Cz',
    '16 0000 0000 0000 0000> 1E61 0000 0000 0000 CZ',
    '16 0000 0000 0000 0000> 4800 0000 0000 0000 CZ',
    '16 0000 0000 0000 0000> 1C0D 0000 0000 0000 CZ',
    '16 1100 0000 0000 0000> 4DE0 0000 0000 0000 Cz',
    '16 1000 0000 0000 0000> 4DE0 0000 0000 0000 CZ',
    '16 1100 0000 0000 0000> 1100 0000 0000 0000 CZ',
    '16 1200 0000 0000 0000> 0000 0000 0000 0000 CZ',
  ])
})
