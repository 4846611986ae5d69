// INT 10h/4Fxxh: the VESA BIOS Extension on the VGA's DISPI registers.
// Reference: VESA BIOS Extension (VBE) Core Functions Standard 3.0; Display Data Channel: VBE/DDC Standard 1.1; power
// management: VBE/PM Standard 1.0.
import { EDID, EDID_SIZE } from '../chipset/edid'
import {
  ENABLE_DAC_8BIT,
  ENABLE_ENABLED,
  ENABLE_LFB,
  ENABLE_NO_CLEAR,
  VBE_BANK,
  VBE_BPP,
  VBE_ENABLE,
  VBE_VIRTUAL_HEIGHT,
  VBE_VIRTUAL_WIDTH,
  VBE_X_OFFSET,
  VBE_XRES,
  VBE_Y_OFFSET,
  VBE_YRES,
  vbeEnabled,
  vbePitch,
  vbeRegister,
  vbeRegisterRead,
  vbeRegisterWrite,
} from '../chipset/vbe-dispi'
import { portRead, portWrite } from '../chipset/bus'
import { CPU_RCX, DEV_BIOS, DEV_VGA, SEG_ES, VGA_FRAME_BUFFER, VRAM_SIZE } from '../layout'
import { BDA_VIDEO_MODE } from './bda'
import {
  al,
  bda8,
  bh,
  bl,
  bx,
  cx,
  di,
  dl,
  dx,
  guestRead32,
  guestRead8,
  guestWrite16,
  guestWrite32,
  guestWrite8,
  guestWriteBlock,
  linear,
  register32,
  selector,
  setAx,
  setBh,
  setBl,
  setBx,
  setCx,
  setDi,
  setDx,
  setSelector,
} from './guest'
import {
  ROM_FONT_SEGMENT,
  ROM_VBE_OEM,
  ROM_VBE_PRODUCT,
  ROM_VBE_PROTECTED,
  ROM_VBE_PROTECTED_END,
  ROM_VBE_REVISION,
  ROM_VBE_VENDOR,
  ROM_VBE_WINDOW,
} from './rom-layout'
import { BIOS_VBE_MODE } from './state-layout'
import { sequencerRead, sequencerWrite, setExtendedMode, setMode } from './video-modes'
import { stateBlocks, stateRestore, stateSave } from './video-state'
import {
  VBE_MODE_COUNT,
  vbeModeAt,
  vbeModeBits,
  vbeModeFind,
  vbeModeHeight,
  vbeModeNumber,
  vbeModePitch,
  vbeModeWidth,
} from './vbe-modes'

const OK: u32 = 0x004f
const FAILED: u32 = 0x014f
const NOT_NOW: u32 = 0x034f

const MODE_LINEAR: u32 = 0x4000
const MODE_KEEP: u32 = 0x8000
const MODEL_PLANAR: u32 = 3
const MODEL_PACKED: u32 = 4
const MODEL_DIRECT: u32 = 6

/** AH = 4Fh. AX answers 004Fh when it was done, 014Fh when it failed, 034Fh when the present mode has no such thing. */
export function vbe(): void {
  switch (al()) {
    case 0x00:
      setAx(controllerInformation())
      return
    case 0x01:
      setAx(modeInformation())
      return
    case 0x02:
      setAx(setVbeMode(bx()))
      return
    case 0x03:
      setBx(currentMode())
      setAx(OK)
      return
    case 0x04:
      setAx(saveRestore())
      return
    case 0x05:
      setAx(windowControl())
      return
    case 0x06:
      setAx(scanLineLength())
      return
    case 0x07:
      setAx(displayStart())
      return
    case 0x08:
      setAx(dacFormat())
      return
    case 0x09:
      setAx(paletteData())
      return
    case 0x0a:
      setAx(protectedInterface())
      return
    case 0x10:
      setAx(powerManagement())
      return
    case 0x15:
      setAx(displayDataChannel())
      return
    default:
      setAx(FAILED)
  }
}

/** Forgets the VBE mode: an ordinary one has been set. */
export function vbeForget(): void {
  store<u32>(DEV_BIOS, 0, BIOS_VBE_MODE)
}

function rom(offset: u32): u32 {
  return (ROM_FONT_SEGMENT << 16) | offset
}

/** Function 00h: VbeInfoBlock, 512 bytes when the caller says VBE2, else 256. The list of modes is part of it. */
function controllerInformation(): u32 {
  const at = linear(SEG_ES, di())
  const second = guestRead32(at) == 0x32454256
  const size: u32 = second ? 512 : 256
  for (let i: u32 = 0; i < size; i += 4) guestWrite32(at + i, 0)
  guestWrite32(at, 0x41534556) // 'VESA'
  guestWrite16(at + 0x04, 0x0300)
  guestWrite32(at + 0x06, rom(ROM_VBE_OEM))
  guestWrite32(at + 0x0a, 0x01) // the DAC can have 8 bits
  guestWrite16(at + 0x0e, (di() + 0x22) & 0xffff)
  guestWrite16(at + 0x10, selector(SEG_ES))
  guestWrite16(at + 0x12, VRAM_SIZE >> 16)
  if (second) {
    guestWrite16(at + 0x14, 0x0100)
    guestWrite32(at + 0x16, rom(ROM_VBE_VENDOR))
    guestWrite32(at + 0x1a, rom(ROM_VBE_PRODUCT))
    guestWrite32(at + 0x1e, rom(ROM_VBE_REVISION))
  }
  for (let i: u32 = 0; i < VBE_MODE_COUNT; i++) guestWrite16(at + 0x22 + i * 2, vbeModeNumber(vbeModeAt(i)))
  guestWrite16(at + 0x22 + VBE_MODE_COUNT * 2, 0xffff)
  return OK
}

function frameBuffer(): u32 {
  return load<u32>(DEV_VGA, VGA_FRAME_BUFFER)
}

/** Bytes of video memory that a picture of the mode takes. */
function pictureSize(mode: usize): u32 {
  return vbeModePitch(mode) * vbeModeHeight(mode) * (vbeModeBits(mode) == 4 ? 4 : 1)
}

/** Function 01h: ModeInfoBlock of mode CX. */
function modeInformation(): u32 {
  const mode = vbeModeFind(cx() & 0x1ff)
  if (mode == 0) return FAILED
  const at = linear(SEG_ES, di())
  for (let i: u32 = 0; i < 256; i += 4) guestWrite32(at + i, 0)
  const bits = vbeModeBits(mode)
  const pitch = vbeModePitch(mode)
  const pages = VRAM_SIZE / pictureSize(mode) - 1
  const linearToo = frameBuffer() != 0 && bits >= 8
  // Supported, with all of this block, BIOS text, colour, graphics; planar ones are the VGA's kind, others are not.
  guestWrite16(at, 0x001f | (bits == 4 ? 0 : 0x20) | (linearToo ? 0x80 : 0))
  guestWrite8(at + 0x02, 0x07) // window A: there, readable, writable
  guestWrite16(at + 0x04, 64) // KiB
  guestWrite16(at + 0x06, 64)
  guestWrite16(at + 0x08, 0xa000)
  guestWrite32(at + 0x0c, rom(ROM_VBE_WINDOW))
  guestWrite16(at + 0x10, pitch)
  guestWrite16(at + 0x12, vbeModeWidth(mode))
  guestWrite16(at + 0x14, vbeModeHeight(mode))
  guestWrite8(at + 0x16, 8)
  guestWrite8(at + 0x17, vbeModeHeight(mode) < 400 ? 8 : 16)
  guestWrite8(at + 0x18, bits == 4 ? 4 : 1)
  guestWrite8(at + 0x19, bits)
  guestWrite8(at + 0x1a, 1)
  guestWrite8(at + 0x1b, bits == 4 ? MODEL_PLANAR : bits == 8 ? MODEL_PACKED : MODEL_DIRECT)
  guestWrite8(at + 0x1d, min<u32>(pages, 255))
  guestWrite8(at + 0x1e, 1)
  colourFields(at + 0x1f, bits)
  guestWrite8(at + 0x27, bits == 32 ? 0x02 : 0) // the reserved byte may be used
  guestWrite32(at + 0x28, linearToo ? frameBuffer() : 0)
  guestWrite16(at + 0x32, pitch)
  guestWrite8(at + 0x34, min<u32>(pages, 255))
  guestWrite8(at + 0x35, min<u32>(pages, 255))
  colourFields(at + 0x36, bits)
  guestWrite32(at + 0x3e, 400_000_000)
  return OK
}

/** Size and place of red, green, blue and reserved. */
function colourFields(at: u64, bits: u32): void {
  if (bits < 15) return
  const size: u32 = bits < 24 ? 5 : 8
  const green: u32 = bits == 16 ? 6 : size
  guestWrite8(at, size)
  guestWrite8(at + 1, size + green)
  guestWrite8(at + 2, green)
  guestWrite8(at + 3, size)
  guestWrite8(at + 4, size)
  guestWrite8(at + 5, 0)
  guestWrite8(at + 6, bits == 15 ? 1 : bits == 32 ? 8 : 0)
  guestWrite8(at + 7, bits == 15 ? 15 : bits == 32 ? 24 : 0)
}

/** Function 02h: BX mode, with bit 14 the frame buffer is used, with bit 15 video memory stays. */
function setVbeMode(request: u32): u32 {
  const number = request & 0x1ff
  if (number < 0x100) {
    if (request & MODE_LINEAR || !setMode(number | (request & MODE_KEEP ? 0x80 : 0))) return FAILED
    return OK
  }
  const mode = vbeModeFind(number)
  if (mode == 0 || (request & MODE_LINEAR && (frameBuffer() == 0 || vbeModeBits(mode) == 4))) return FAILED
  vbeRegisterWrite(VBE_ENABLE, 0)
  setExtendedMode(vbeModeWidth(mode), vbeModeHeight(mode), vbeModeBits(mode))
  vbeRegisterWrite(VBE_XRES, vbeModeWidth(mode))
  vbeRegisterWrite(VBE_YRES, vbeModeHeight(mode))
  vbeRegisterWrite(VBE_BPP, vbeModeBits(mode))
  vbeRegisterWrite(
    VBE_ENABLE,
    ENABLE_ENABLED | (request & MODE_LINEAR ? ENABLE_LFB : 0) | (request & MODE_KEEP ? ENABLE_NO_CLEAR : 0),
  )
  store<u32>(DEV_BIOS, number | (request & (MODE_LINEAR | MODE_KEEP)), BIOS_VBE_MODE)
  return OK
}

/** Function 03h. */
function currentMode(): u32 {
  const mode = load<u32>(DEV_BIOS, BIOS_VBE_MODE)
  return mode != 0 && vbeEnabled() ? mode : bda8(BDA_VIDEO_MODE) & 0x7f
}

/** Function 04h: DL 0 size, 1 save, 2 restore; CX bits 0 hardware, 1 BIOS data, 2 DAC, 3 VBE registers. */
function saveRestore(): u32 {
  if (dl() == 0) {
    setBx(stateBlocks(cx()))
    return OK
  }
  const at = linear(SEG_ES, bx())
  if (dl() == 1) stateSave(cx(), at)
  else if (dl() == 2) stateRestore(cx(), at)
  else return FAILED
  return OK
}

/** Function 05h: BH 0 set, 1 get; BL window; DX its place in units of 64 KiB. */
function windowControl(): u32 {
  if (!vbeEnabled()) return NOT_NOW
  if (bl() != 0 || bh() > 1) return FAILED
  if (bh() == 1) {
    setDx(vbeRegister(VBE_BANK))
    return OK
  }
  if (dx() >= <u32>VRAM_SIZE >> 16) return FAILED
  vbeRegisterWrite(VBE_BANK, dx())
  return OK
}

/** Function 06h: BL 0 sets CX pixels, 2 CX bytes, 1 asks, 3 asks for the most. BX bytes, CX pixels, DX lines. */
function scanLineLength(): u32 {
  if (!vbeEnabled()) return NOT_NOW
  const bits = vbeRegister(VBE_BPP)
  const bytes: u32 = (bits + 7) >> 3
  if (bl() == 0 || bl() == 2) {
    const asked = cx()
    const pixels: u32 = bl() == 0 ? asked : bits == 4 ? asked << 3 : (asked + bytes - 1) / bytes
    const rounded = (pixels + 7) & ~7
    if (rounded > 0xfff8 || rounded < vbeRegister(VBE_XRES)) return FAILED
    const before = vbeRegister(VBE_VIRTUAL_WIDTH)
    vbeRegisterWrite(VBE_VIRTUAL_WIDTH, rounded)
    if (vbeRegisterRead(VBE_VIRTUAL_HEIGHT) < vbeRegister(VBE_YRES)) {
      vbeRegisterWrite(VBE_VIRTUAL_WIDTH, before)
      return FAILED
    }
  } else if (bl() == 3) {
    const most = min<u32>((VRAM_SIZE / vbeRegister(VBE_YRES) / (bits == 4 ? 1 : bytes)) & ~7, 0xfff8)
    setBx(bits == 4 ? most >> 3 : min<u32>(most * bytes, 0xffff))
    setCx(most)
    setDx(vbeRegister(VBE_YRES))
    return OK
  } else if (bl() != 1) return FAILED
  setBx(bits == 4 ? vbePitch() >> 2 : vbePitch())
  setCx(vbeRegister(VBE_VIRTUAL_WIDTH))
  setDx(vbeRegisterRead(VBE_VIRTUAL_HEIGHT))
  return OK
}

/** Function 07h: BL 0, 80h set CX, DX; 2, 82h set ECX bytes; 1 get; 4 whether a flip asked for has happened. */
function displayStart(): u32 {
  if (!vbeEnabled()) return NOT_NOW
  switch (bl()) {
    case 0x00:
    case 0x80:
      return setStart(cx(), dx())
    case 0x01:
      setBh(0)
      setCx(vbeRegister(VBE_X_OFFSET))
      setDx(vbeRegister(VBE_Y_OFFSET))
      return OK
    case 0x02:
    case 0x82: {
      const at = register32(CPU_RCX)
      const bits = vbeRegister(VBE_BPP)
      const pitch = bits == 4 ? vbePitch() >> 2 : vbePitch()
      const rest = at % pitch
      return setStart(bits == 4 ? rest << 3 : rest / ((bits + 7) >> 3), at / pitch)
    }
    case 0x04:
      setCx(1)
      return OK
    default:
      return FAILED
  }
}

function setStart(x: u32, y: u32): u32 {
  if (
    x + vbeRegister(VBE_XRES) > vbeRegister(VBE_VIRTUAL_WIDTH) ||
    y + vbeRegister(VBE_YRES) > vbeRegisterRead(VBE_VIRTUAL_HEIGHT)
  )
    return FAILED
  vbeRegisterWrite(VBE_X_OFFSET, x)
  vbeRegisterWrite(VBE_Y_OFFSET, y)
  return OK
}

/** Function 08h: BL 0 sets BH bits a colour, 1 asks. */
function dacFormat(): u32 {
  if (vbeEnabled() && vbeRegister(VBE_BPP) > 8) return NOT_NOW
  const now = vbeRegister(VBE_ENABLE)
  if (bl() == 0) {
    if (!vbeEnabled()) return NOT_NOW
    if (bh() < 6) return FAILED
    vbeRegisterWrite(VBE_ENABLE, bh() >= 8 ? now | ENABLE_DAC_8BIT : now & ~ENABLE_DAC_8BIT)
  } else if (bl() != 1) return FAILED
  setBh(vbeRegister(VBE_ENABLE) & ENABLE_DAC_8BIT ? 8 : 6)
  return OK
}

/** Function 09h: BL 0, 80h set CX colours from DX by ES:DI (blue, green, red, nothing), 1 get. There is no second palette. */
function paletteData(): u32 {
  const first = dx()
  const count = cx()
  if (first > 255 || first + count > 256) return FAILED
  const table = linear(SEG_ES, di())
  if (bl() == 0 || bl() == 0x80) {
    portWrite(0x3c8, 1, first)
    for (let i: u32 = 0; i < count; i++) {
      portWrite(0x3c9, 1, guestRead8(table + i * 4 + 2))
      portWrite(0x3c9, 1, guestRead8(table + i * 4 + 1))
      portWrite(0x3c9, 1, guestRead8(table + i * 4))
    }
    return OK
  }
  if (bl() != 1) return FAILED
  portWrite(0x3c7, 1, first)
  for (let i: u32 = 0; i < count; i++) {
    const red = portRead(0x3c9, 1)
    const green = portRead(0x3c9, 1)
    const blue = portRead(0x3c9, 1)
    guestWrite32(table + i * 4, (red << 16) | (green << 8) | blue)
  }
  return OK
}

/** Function 0Ah: where the 32-bit routines lie that a program may copy. */
function protectedInterface(): u32 {
  if (bl() != 0) return FAILED
  setSelector(SEG_ES, ROM_FONT_SEGMENT)
  setDi(ROM_VBE_PROTECTED)
  setCx(ROM_VBE_PROTECTED_END - ROM_VBE_PROTECTED)
  return OK
}

/** Function 10h: BL 0 what there is, 1 set BH (0 on, 1 standby, 2 suspend, 4 off), 2 ask. */
function powerManagement(): u32 {
  switch (bl()) {
    case 0x00:
      setBx(0x0710)
      return OK
    case 0x01:
      if (bh() != 0 && bh() != 1 && bh() != 2 && bh() != 4) return FAILED
      sequencerWrite(1, bh() ? sequencerRead(1) | 0x20 : sequencerRead(1) & ~0x20)
      return OK
    case 0x02:
      setBh(sequencerRead(1) & 0x20 ? 4 : 0)
      return OK
    default:
      return FAILED
  }
}

/** Function 15h: BL 0 what there is (DDC2, a block takes a second), 1 block DX of the EDID to ES:DI. */
function displayDataChannel(): u32 {
  if (bl() == 0) {
    setBh(1)
    setBl(2)
    return OK
  }
  if (bl() != 1 || dx() != 0) return FAILED
  guestWriteBlock(linear(SEG_ES, di()), EDID, EDID_SIZE)
  return OK
}
