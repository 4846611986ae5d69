// Exception vectors (SDM 3A table 6-1).

export const EXC_DE: u32 = 0
export const EXC_DB: u32 = 1
export const EXC_NMI: u32 = 2
export const EXC_BP: u32 = 3
export const EXC_OF: u32 = 4
export const EXC_BR: u32 = 5
export const EXC_UD: u32 = 6
export const EXC_NM: u32 = 7
export const EXC_DF: u32 = 8
export const EXC_TS: u32 = 10
export const EXC_NP: u32 = 11
export const EXC_SS: u32 = 12
export const EXC_GP: u32 = 13
export const EXC_PF: u32 = 14
export const EXC_MF: u32 = 16
export const EXC_AC: u32 = 17
export const EXC_MC: u32 = 18
export const EXC_XM: u32 = 19
