// Expectations are c++filt's (binutils 2.40); where it is installed, it is asked about a library's own names as well.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { demangle } from './demangle'

describe('C++', () => {
  test.each([
    ['_Z3foov', 'foo()'],
    [
      '_ZN6kernel2mm4PoolINS0_5FrameELi8EEpLERKS3_',
      'kernel::mm::Pool<kernel::mm::Frame, 8>::operator+=(kernel::mm::Pool<kernel::mm::Frame, 8> const&)',
    ],
    ['_ZNSt6vectorIiSaIiEE9push_backERKi', 'std::vector<int, std::allocator<int> >::push_back(int const&)'],
    [
      '_ZNSsC1EPKcRKSaIcE',
      'std::basic_string<char, std::char_traits<char>, std::allocator<char> >::basic_string(char const*, std::allocator<char> const&)',
    ],
    ['_ZN3FooD0Ev', 'Foo::~Foo()'],
    ['_ZNK3Foo3barEi', 'Foo::bar(int) const'],
    ['_Z1fPFviE', 'f(void (*)(int))'],
    ['_Z1fRA3_KiM1AFivE', 'f(int const (&) [3], int (A::*)())'],
    ['_Z1fIiEvT_', 'void f<int>(int)'],
    ['_Z1fIJidEEvDpT_', 'void f<int, double>(int, double)'],
    ['_ZTV3Foo', 'vtable for Foo'],
    ['_ZGVZ1fvE1x', 'guard variable for f()::x'],
    ['_ZThn8_N3Foo3barEv', 'non-virtual thunk to Foo::bar()'],
    ['_ZZ4mainENKUliE_clEi', 'main::{lambda(int)#1}::operator()(int) const'],
    ['_ZN12_GLOBAL__N_13fooEv', '(anonymous namespace)::foo()'],
    ['_ZN3FoocvbEv', 'Foo::operator bool()'],
    [
      '_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_PKc',
      'std::basic_ostream<char, std::char_traits<char> >& std::operator<< <std::char_traits<char> >(std::basic_ostream<char, std::char_traits<char> >&, char const*)',
    ],
    ['_Z4workv.isra.0', 'work() [clone .isra.0]'],
  ])('%s', (mangled, shown) => {
    expect(demangle(mangled)).toBe(shown)
  })

  const library = ['/usr/lib/x86_64-linux-gnu/libstdc++.so.6'].find(existsSync)
  const tools =
    spawnSync('c++filt', ['--version']).status === 0 && spawnSync('nm', ['--version']).status === 0
  test.skipIf(!library || !tools)('the names of libstdc++, as c++filt shows them', () => {
    const table = execFileSync('nm', ['-D', library!], { encoding: 'utf8', maxBuffer: 1 << 28 })
    const names = [...new Set([...table.matchAll(/ (_Z\w+)/g)].map(([, name]) => name!))]
    expect(names.length).toBeGreaterThan(3000)
    const theirs = execFileSync('c++filt', {
      input: names.join('\n'),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    }).split('\n')
    const different = names.filter((name, i) => demangle(name) !== theirs[i])
    // What is left are conversions to template parameters that are named before they are known.
    expect(different.length / names.length).toBeLessThan(0.002)
  })
})

describe('Rust', () => {
  test.each([
    ['_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE', 'core::fmt::Formatter::write_str'],
    [
      '_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE',
      "<Test + 'static as foo::Bar<Test>>::bar",
    ],
    ['_ZN4main4main17h0123456789abcdefE.llvm.1234', 'main::main'],
    // RFC 2603 and the tests of rustc-demangle.
    ['_RNvC6_123foo3bar', '123foo::bar'],
    [
      '_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y',
      'utf8_idents::საჭმელად_გემრიელი_სადილი',
    ],
    ['_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_', 'cc::spawn::{closure#0}::{closure#0}'],
    [
      '_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_6memchr7memrchrs_0E0Bb_',
      '<core::slice::Iter<u8> as core::iter::iterator::Iterator>::rposition::<core::slice::memchr::memrchr::{closure#1}>::{closure#0}',
    ],
    [
      '_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std',
      'alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>',
    ],
    ['_RMC0INtC8arrayvec8ArrayVechKj7b_E', '<arrayvec::ArrayVec<u8, 123>>'],
    ['_RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E', '<const_generic::Unsigned<11>>'],
    ['_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKs98_E', '<const_generic::Signed<152>>'],
    ['_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E', '<const_generic::Signed<-11>>'],
    ['_RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb1_E', '<const_generic::Bool<true>>'],
    ['_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc76_E', "<const_generic::Char<'v'>>"],
  ])('%s', (mangled, shown) => {
    expect(demangle(mangled)).toBe(shown)
  })
})

test('what is no mangled name stays as it is', () => {
  for (const name of [
    'main',
    '_start',
    '_Z',
    '_ZN',
    '_R',
    '_RNvC',
    '_ZNE',
    '__bss_start',
    '_ZN3fooE_',
    '_RB_',
    '_RIB_E',
    '_RC0',
    '_RNvC00',
  ])
    expect(demangle(name)).toBe(name)
})

test('whatever follows, it ends and says something', () => {
  const letters = fc.constantFrom(...'ISTNESt_0123PRKVFvijJXLDpBCUMYAGQ'.split(''))
  fc.assert(
    fc.property(
      fc.constantFrom('_Z', '_ZN', '_R', '_RNv'),
      fc.array(letters, { maxLength: 60 }),
      (start, rest) => {
        expect(demangle(start + rest.join('')).length).toBeGreaterThan(0)
      },
    ),
    { numRuns: 3000 },
  )
})
