/* Bare-metal guest benchmark.  One source for three builds:
 *   -m64 (long mode), -m32 (protected mode, non-PAE paging), -DNATIVE (Linux user mode).
 * -DNOFPU leaves out the rows that need x87 or SSE.
 * Each workload prints "B name" and "E name n=ITER tsc=DELTA chk=SUM" on COM1 and port 0xe9;
 * the host harness timestamps these lines.  Under `qemu -icount shift=0` RDTSC counts
 * guest instructions, so tsc= is then the exact instruction count of the workload. */
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned u32;
typedef unsigned long long u64; typedef unsigned long uptr;
#ifdef NATIVE
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
static u8 *R;                                   /* 64 MiB scratch */
#else
#define R ((u8*)0x4000000UL)                    /* 64..128 MiB */
#endif
static inline u64 rdtsc(void){u32 a,d;__asm__ volatile("rdtsc":"=a"(a),"=d"(d)::"memory");return ((u64)d<<32)|a;}
#ifndef NATIVE
static inline void outb(u16 p,u8 v){__asm__ volatile("outb %0,%1"::"a"(v),"Nd"(p));}
static inline u8 inb(u16 p){u8 v;__asm__ volatile("inb %1,%0":"=a"(v):"Nd"(p));return v;}
static void pc(char c){ while(!(inb(0x3fd)&0x20)); outb(0x3f8,c); outb(0xe9,c); }
static void ps(const char*s){while(*s)pc(*s++);}
static void hex(u64 v){int i,st=0;for(i=60;i>=0;i-=4){int d=(int)(v>>i)&15;if(d||st||!i){st=1;pc("0123456789abcdef"[d]);}}}
void *memcpy(void*d,const void*s,uptr n){u8*a=d;const u8*b=s;while(n--)*a++=*b++;return d;}
void *memset(void*d,int c,uptr n){u8*a=d;while(n--)*a++=c;return d;}
#else
#define ps(s) fputs(s,stdout)
static void hex(u64 v){printf("%llx",v);fflush(stdout);}
static inline void flush_(void){fflush(stdout);}
#endif
static u64 t0;
static void B(const char*n){ps("B ");ps(n);ps("\n");
#ifdef NATIVE
flush_();
#endif
t0=rdtsc();}
static void E(const char*n,u32 it,u32 chk){u64 t=rdtsc()-t0;ps("E ");ps(n);ps(" n=");hex(it);ps(" tsc=");hex(t);ps(" chk=");hex(chk);ps("\n");}
static u32 rng=12345; static inline u32 rnd(void){rng^=rng<<13;rng^=rng>>17;rng^=rng<<5;return rng;}
/* odd page distance, so that copies do not alias in a direct-mapped soft-TLB */
#define DST ((16<<20)+37*4096)
#define NI __attribute__((noinline,noclone))

/* ---- a: integer ---- */
static NI u32 sieve(u8*p,u32 n){u32 i,j,c=0;for(i=0;i<n;i++)p[i]=1;for(i=2;i*i<n;i++)if(p[i])for(j=i*i;j<n;j+=i)p[j]=0;for(i=2;i<n;i++)c+=p[i];return c;}
static u32 crct[256];
static NI u32 crc32(const u8*p,u32 n){u32 c=~0u,i;for(i=0;i<n;i++)c=crct[(c^p[i])&255]^(c>>8);return ~c;}
static const u32 K[64]={
0x428a2f98,0x71374491,0xb5c0fbcf,0xe9b5dba5,0x3956c25b,0x59f111f1,0x923f82a4,0xab1c5ed5,0xd807aa98,0x12835b01,0x243185be,0x550c7dc3,0x72be5d74,0x80deb1fe,0x9bdc06a7,0xc19bf174,
0xe49b69c1,0xefbe4786,0x0fc19dc6,0x240ca1cc,0x2de92c6f,0x4a7484aa,0x5cb0a9dc,0x76f988da,0x983e5152,0xa831c66d,0xb00327c8,0xbf597fc7,0xc6e00bf3,0xd5a79147,0x06ca6351,0x14292967,
0x27b70a85,0x2e1b2138,0x4d2c6dfc,0x53380d13,0x650a7354,0x766a0abb,0x81c2c92e,0x92722c85,0xa2bfe8a1,0xa81a664b,0xc24b8b70,0xc76c51a3,0xd192e819,0xd6990624,0xf40e3585,0x106aa070,
0x19a4c116,0x1e376c08,0x2748774c,0x34b0bcb5,0x391c0cb3,0x4ed8aa4a,0x5b9cca4f,0x682e6ff3,0x748f82ee,0x78a5636f,0x84c87814,0x8cc70208,0x90befffa,0xa4506ceb,0xbef9a3f7,0xc67178f2};
#define ROR(x,n) (((x)>>(n))|((x)<<(32-(n))))
static NI void sha(u32*h,const u8*p,u32 blocks){u32 w[64];while(blocks--){int i;
for(i=0;i<16;i++)w[i]=__builtin_bswap32(*(u32*)(p+4*i));
for(;i<64;i++){u32 a=w[i-15],b=w[i-2];w[i]=w[i-16]+w[i-7]+(ROR(a,7)^ROR(a,18)^(a>>3))+(ROR(b,17)^ROR(b,19)^(b>>10));}
u32 a=h[0],b=h[1],c=h[2],d=h[3],e=h[4],f=h[5],g=h[6],x=h[7];
for(i=0;i<64;i++){u32 t1=x+(ROR(e,6)^ROR(e,11)^ROR(e,25))+((e&f)^(~e&g))+K[i]+w[i];u32 t2=(ROR(a,2)^ROR(a,13)^ROR(a,22))+((a&b)^(a&c)^(b&c));x=g;g=f;f=e;e=d+t1;d=c;c=b;b=a;a=t1+t2;}
h[0]+=a;h[1]+=b;h[2]+=c;h[3]+=d;h[4]+=e;h[5]+=f;h[6]+=g;h[7]+=x;p+=64;}}
static NI u32 alu64(u32 n){u64 x=88172645463325252ull,s=0;while(n--){x^=x<<13;x^=x>>7;x^=x<<17;s+=x*0x9E3779B97F4A7C15ull;if(x&1)s^=s>>29;}return (u32)(s^(s>>32));}
/* data-dependent branches */
static NI u32 collatz(u32 n){u32 i,c=0;for(i=1;i<n;i++){u32 x=i;while(x!=1){if(x&1)x=3*x+1;else x>>=1;c++;}}return c;}

/* ---- b: pointer chase ---- */
static NI void mkchain(u8*base,u32 nodes,u32 stride,u32 off){ /* Sattolo cycle, index table kept past the region's nodes */
  static u32 idx[16384]; u32 i;
  if(nodes<=16384){for(i=0;i<nodes;i++)idx[i]=i;for(i=nodes-1;i>0;i--){u32 j=rnd()%i,t=idx[i];idx[i]=idx[j];idx[j]=t;}
    for(i=0;i<nodes;i++)*(u8**)(base+idx[i]*stride+off+(idx[i]&31)*64)=base+idx[(i+1)%nodes]*stride+off+(idx[(i+1)%nodes]&31)*64;}
  else for(i=0;i<nodes;i++){ /* LCG permutation over a power of two: full cycle */
    u32 j=(i*1664525u+1013904223u)&(nodes-1);*(u8**)(base+i*stride)=base+j*stride;}}
static NI u8* chase(u8*p,u32 n){while(n--){p=*(u8*volatile*)p;p=*(u8*volatile*)p;p=*(u8*volatile*)p;p=*(u8*volatile*)p;}return p;}

/* ---- c: memory copy ---- */
static NI void cpw(uptr*d,const uptr*s,u32 n){u32 i;for(i=0;i<n;i+=4){uptr a=s[i],b=s[i+1],c=s[i+2],e=s[i+3];d[i]=a;d[i+1]=b;d[i+2]=c;d[i+3]=e;}}
static inline void repmovsl(void*d,const void*s,uptr n){__asm__ volatile("rep movsl":"+D"(d),"+S"(s),"+c"(n)::"memory");}
static inline void repmovsb(void*d,const void*s,uptr n){__asm__ volatile("rep movsb":"+D"(d),"+S"(s),"+c"(n)::"memory");}
static inline void repstosl(void*d,u32 v,uptr n){__asm__ volatile("rep stosl":"+D"(d),"+c"(n):"a"(v):"memory");}

/* ---- d: calls ---- */
static NI __attribute__((optimize("no-optimize-sibling-calls"))) u32 fib(u32 n){return n<2?n:fib(n-1)+fib(n-2);}
typedef struct VM{u32 r[8];u32 pcv;u32 mem[256];int run;}VM;
typedef struct{u8 op,a,b,c;int imm;}IN;
typedef void(*OP)(VM*,const IN*);
static NI void o_add(VM*v,const IN*i){v->r[i->a]=v->r[i->b]+v->r[i->c];}
static NI void o_addi(VM*v,const IN*i){v->r[i->a]=v->r[i->b]+i->imm;}
static NI void o_xor(VM*v,const IN*i){v->r[i->a]=v->r[i->b]^v->r[i->c];}
static NI void o_shl(VM*v,const IN*i){v->r[i->a]=v->r[i->b]<<i->imm;}
static NI void o_shr(VM*v,const IN*i){v->r[i->a]=v->r[i->b]>>i->imm;}
static NI void o_ld(VM*v,const IN*i){v->r[i->a]=v->mem[v->r[i->b]&255];}
static NI void o_st(VM*v,const IN*i){v->mem[v->r[i->b]&255]=v->r[i->a];}
static NI void o_jnz(VM*v,const IN*i){if(v->r[i->a])v->pcv+=i->imm;}
static NI void o_hlt(VM*v,const IN*i){v->run=0;}
static const OP ops[9]={o_add,o_addi,o_xor,o_shl,o_shr,o_ld,o_st,o_jnz,o_hlt};
static const IN prog[]={{3,1,0,0,3},{2,0,0,1,0},{4,1,0,0,5},{2,0,0,1,0},{5,2,0,0,0},{0,2,2,0,0},{6,2,3,0,0},{0,4,4,2,0},{1,3,3,0,-1},{7,3,0,0,-10},{8,0,0,0,0}};
static VM vm;
static NI u32 interp_call(u32 n){int i;for(i=0;i<8;i++)vm.r[i]=i+1;for(i=0;i<256;i++)vm.mem[i]=i;vm.r[3]=n;vm.pcv=0;vm.run=1;while(vm.run){const IN*p=&prog[vm.pcv++];ops[p->op](&vm,p);}return vm.r[4];}
static NI u32 interp_sw(u32 n){int i;for(i=0;i<8;i++)vm.r[i]=i+1;for(i=0;i<256;i++)vm.mem[i]=i;vm.r[3]=n;const IN*p=prog;
 static const void*const L[]={&&add,&&addi,&&xor,&&shl,&&shr,&&ld,&&st,&&jnz,&&hlt};
#define NX do{const void*t=L[p->op];__asm__ volatile(""::: "memory");goto *t;}while(0)
 NX;
 add:vm.r[p->a]=vm.r[p->b]+vm.r[p->c];p++;NX; addi:vm.r[p->a]=vm.r[p->b]+p->imm;p++;NX; xor:vm.r[p->a]=vm.r[p->b]^vm.r[p->c];p++;NX;
 shl:vm.r[p->a]=vm.r[p->b]<<p->imm;p++;NX; shr:vm.r[p->a]=vm.r[p->b]>>p->imm;p++;NX; ld:vm.r[p->a]=vm.mem[vm.r[p->b]&255];p++;NX;
 st:vm.mem[vm.r[p->b]&255]=vm.r[p->a];p++;NX; jnz:p+=vm.r[p->a]?p->imm+1:1;NX; hlt:return vm.r[4];}

#ifndef NOFPU
/* ---- e: SSE2 double ---- */
typedef double v2 __attribute__((vector_size(16)));
#define N 160
static NI void mm_packed(double*c,const double*a,const double*b){int i,j,k;for(i=0;i<N;i++)for(j=0;j<N;j+=4){v2 s0={0,0},s1={0,0};for(k=0;k<N;k++){double x=a[i*N+k];v2 xx={x,x};s0+=xx*(*(const v2*)&b[k*N+j]);s1+=xx*(*(const v2*)&b[k*N+j+2]);}*(v2*)&c[i*N+j]=s0;*(v2*)&c[i*N+j+2]=s1;}}
static NI void mm_scalar(double*c,const double*a,const double*b){int i,j,k;for(i=0;i<N;i++)for(j=0;j<N;j++){double s=0;for(k=0;k<N;k++){s+=a[i*N+k]*b[k*N+j];__asm__ volatile("");}c[i*N+j]=s;}}
/* x87 too: volatile long double keeps it on the FPU stack */
static NI double x87(u32 n){long double s=0,x=1;while(n--){s+=1/x;x+=2;s=s*0.999999L;}return (double)s;}
#endif

/* ---- h: self-modifying code ---- */
typedef u32(*FN)(u32);
static NI u32 smc_imm(u8*c,u32 n){u32 i,s=0;c[0]=0xb8;c[5]=0xc3;for(i=0;i<n;i++){*(volatile u32*)(c+1)=i*3;s+=((FN)c)(0);}return s;}
static NI u32 smc_jit(u8*c,u32 n,u32 reps){u32 i,j,s=0;for(i=0;i<n;i++){u8*p=c+(i&4095)*64,*q=p;*q++=0xb8;*(u32*)q=i;q+=4;for(j=0;j<10;j++){*q++=0x05;*(u32*)q=j*i;q+=4;}*q=0xc3;for(j=0;j<reps;j++)s+=((FN)p)(0);}return s;}
static NI u32 smc_near(u8*c,u32 n){u32 i,s=0;c[0]=0xb8;*(u32*)(c+1)=7;c[5]=0xc3;for(i=0;i<n;i++){*(volatile u32*)(c+1024)=i;s+=((FN)c)(0)+*(volatile u32*)(c+1024);}return s;}

#ifndef NATIVE
/* ---- f, g, i, j ---- */
#ifdef __x86_64__
#define PT ((volatile u64*)0x403000UL)
#else
#define PT ((volatile u32*)0x401000UL)
#endif
static inline void invlpg(uptr a){__asm__ volatile("invlpg (%0)"::"r"(a):"memory");}
static NI u32 churn(u32 n){u32 i,s=0;for(i=0;i<n;i++){uptr va=0xF000000UL+((uptr)(i&255)<<12),pa=0x8000000UL+((uptr)((i*7)&1023)<<12);PT[va>>12]=pa|3;invlpg(va);*(volatile u32*)va=i;s+=*(volatile u32*)(va+64)+*(volatile u32*)va;PT[va>>12]=0;invlpg(va);}
 for(i=0;i<256;i++){uptr va=0xF000000UL+((uptr)i<<12);PT[va>>12]=va|3;invlpg(va);}return s;}
static NI u32 cr3flush(u32 n){u32 i,j,s=0;for(i=0;i<n;i++){uptr c;__asm__ volatile("mov %%cr3,%0; mov %0,%%cr3":"=r"(c)::"memory");for(j=0;j<32;j++)s+=*(volatile u32*)(0x8000000UL+((uptr)j<<12));}return s;}
extern volatile u32 bp_count,tick_count; extern volatile uptr pf_resume; extern volatile u32 pf_count;
static NI u32 bp(u32 n){while(n--)__asm__ volatile("int3":::"memory");return bp_count;}
void pf_touch(u32 n); /* asm: n faulting loads from an unmapped page */
static NI u32 timer(u32 n){u32 d=1193182/1000;outb(0x20,0x11);outb(0xa0,0x11);outb(0x21,0x20);outb(0xa1,0x28);outb(0x21,4);outb(0xa1,2);outb(0x21,1);outb(0xa1,1);outb(0x21,0xfe);outb(0xa1,0xff);
 outb(0x43,0x34);outb(0x40,d);outb(0x40,d>>8);while(tick_count<n)__asm__ volatile("sti;hlt;cli":::"memory");outb(0x21,0xff);return tick_count;}
static NI u32 io_out(u32 n){u32 i;for(i=0;i<n;i++)outb(0x80,i);return i;}
static NI u32 io_in(u32 n){u32 i,s=0;for(i=0;i<n;i++)s+=inb(0x3fd);return s&0;}
static NI u32 vgatext(u32 n){u32 i,j;for(j=0;j<n;j++)for(i=0;i<2000;i++)*(volatile u16*)(0xb8000UL+2*i)=(u16)(0x700|((i+j)&127));return n;}
#endif
#ifndef S
#define S 1
#endif
#define RUN(name,n,expr) do{u32 n_=(n);B(name);u32 c_=(u32)(expr);E(name,n_,c_);}while(0)
static u32 fibx(u32 n){u32 c=0;while(n--){c+=fib(24);__asm__ volatile("":::"memory");}return c;}
static u32 sievex(u32 n){u32 c=0;while(n--)c+=sieve(R,1000000);return c;}
static u32 crcx(u32 n){u32 c=0;while(n--){c^=crc32(R,1<<20)+n;__asm__ volatile("":::"memory");}return c;}
static u32 shax(u32 n){u32 h[8]={1,2,3,4,5,6,7,8};while(n--)sha(h,R,16384);return h[0];}
static u32 cpwx(u32 n){while(n--)cpw((uptr*)(R+DST),(uptr*)R,(4<<20)/sizeof(uptr));return *(u32*)(R+DST+4096);}
static u32 movslx(u32 n){while(n--)repmovsl(R+DST,R,1<<20);return 0;}
static u32 movsbx(u32 n){while(n--)repmovsb(R+DST,R,4<<20);return 0;}
static u32 stoslx(u32 n){while(n--)repstosl(R+DST,n,1<<20);return 0;}
#ifndef NOFPU
static u32 mmp(u32 n){double*a=(double*)R,*b=a+N*N,*c=b+N*N;while(n--)mm_packed(c,a,b);return (u32)c[777];}
static u32 mms(u32 n){double*a=(double*)R,*b=a+N*N,*c=b+N*N;while(n--)mm_scalar(c,a,b);return (u32)c[777];}
#endif
void kmain(void){u32 i,j;
 
#ifndef NATIVE
 outb(0x3f9,0);outb(0x3fb,0x83);outb(0x3f8,1);outb(0x3f9,0);outb(0x3fb,3);outb(0x3fc,3); /* 115200 8n1 */
#endif
 ps("HELLO ");hex(sizeof(void*)*8);ps("\n");
 for(i=0;i<256;i++){u32 c=i;for(j=0;j<8;j++)c=c&1?(c>>1)^0xedb88320u:c>>1;crct[i]=c;}
 for(i=0;i<(8<<20)/4;i++)((u32*)R)[i]=rnd();
 RUN("a1-sieve",12*S,sievex(12*S));
 for(i=0;i<(1<<20)/4;i++)((u32*)R)[i]=rnd();
 RUN("a2-crc32",16*S,crcx(16*S));
 RUN("a3-sha256",4*S,shax(4*S));
 RUN("a4-alu64",8000000*S,alu64(8000000*S));
 RUN("a5-collatz",200000*S,collatz(200000*S));
 mkchain(R,16384,4096,0);
 RUN("b1-chase-page",4000000*S,(uptr)chase(R,1000000*S)!=0);
 mkchain(R,1<<20,64,0);
 RUN("b2-chase-line",4000000*S,(uptr)chase(R,1000000*S)!=0);
 for(i=0;i<(8<<20)/4;i++)((u32*)R)[i]=i;
 RUN("c1-copy-words",32*S,cpwx(32*S));
 RUN("c2-rep-movsd",32*S,movslx(32*S));
 RUN("c3-rep-movsb",8*S,movsbx(8*S));
 RUN("c4-rep-stosd",32*S,stoslx(32*S));
 RUN("d1-fib24",10*S,fibx(10*S));
 RUN("d2-interp-icall",800000*S,interp_call(800000*S));
 RUN("d3-interp-goto",1500000*S,interp_sw(1500000*S));
#ifndef NOFPU
 for(i=0;i<N*N*2;i++)((double*)R)[i]=(double)(rnd()&1023)/7.0;
 RUN("e1-mm-packed",6*S,mmp(6*S));
 RUN("e2-mm-scalar",4*S,mms(4*S));
 RUN("e3-x87",1000000*S,x87(1000000*S)*1000);
#endif
#ifndef NATIVE
 RUN("f1-map-invlpg",300000*S,churn(300000*S));
 RUN("f2-cr3-flush",50000*S,cr3flush(50000*S));
 RUN("g1-int3",500000*S,bp(500000*S));
 PT[0xF000000UL>>12]=0;invlpg(0xF000000UL);
 RUN("g2-pagefault",300000*S,(pf_touch(300000*S),pf_count));
 RUN("g3-timer-hlt",200,timer(200)>=200);
#endif
 RUN("h1-smc-imm",30000*S,smc_imm(R,30000*S));
 RUN("h2-smc-jit16",10000*S,smc_jit(R+(1<<20),10000*S,16));
 RUN("h3-smc-samepage",100000*S,smc_near(R+8192,100000*S));
#ifndef NATIVE
 RUN("i1-out80",1000000*S,io_out(1000000*S));
 RUN("i2-in3fd",1000000*S,io_in(1000000*S));
 RUN("j1-vga-text",500*S,vgatext(500*S));
#endif
 ps("DONE\n");
#ifndef NATIVE
 {const char*s="Shutdown";while(*s)outb(0x8900,*s++);} /* Bochs power-off port */
 outb(0xf4,0); for(;;)__asm__ volatile("cli;hlt");
#endif
}
#ifdef NATIVE
int main(void){R=mmap((void*)0x40000000,64<<20,7,MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE,-1,0);if(R==MAP_FAILED)return 1;kmain();return 0;}
#endif
