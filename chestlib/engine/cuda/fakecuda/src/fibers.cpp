// fibers.cpp: the threads of one block, run in turn on one processor.
#include "host_shim.h"
#include "fibers.h"
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

shim_dim shim_cta, shim_ncta, shim_ntid;
int shim_tid;

extern char __start_kern_shared[], __stop_kern_shared[];

enum state { RUNNABLE, AT_BARRIER, AT_SHUFFLE, ENDED };

const int MOST = 1024;
const size_t STACK = 64 << 10;

struct fiber {
	state st;
	int parity; // of the next shuffle
#if defined(__x86_64__)
	void *sp;
#else
	ucontext_t ctx;
#endif
};

static fiber fibers[MOST];
static shim_exchange exchanges[2][MOST / 32];
static char *stacks;
static int current;
static void (*body)(void **);
static void **arguments;

#if defined(__x86_64__)
static void *home;
// shim_switch saves the callee's registers and goes on where sp was saved.
extern "C" void shim_switch(void **save, void *sp);
asm(R"(
.text
.globl shim_switch
.type shim_switch,@function
shim_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
)");
static void leave() { shim_switch(&fibers[current].sp, home); }
static void enter(int i) { shim_switch(&home, fibers[i].sp); }
#else
static ucontext_t home;
static void leave() { swapcontext(&fibers[current].ctx, &home); }
static void enter(int i) { swapcontext(&home, &fibers[i].ctx); }
#endif

static void start() {
	body(arguments);
	fibers[current].st = ENDED;
	leave();
	abort();
}

static void prepare(int i) {
	fiber &f = fibers[i];
	f.st = RUNNABLE;
	f.parity = 0;
	char *top = stacks + (i + 1) * STACK;
#if defined(__x86_64__)
	void **sp = (void **)top;
	*--sp = 0;             // no return address of start: the stack is aligned as after a call
	*--sp = (void *)start; // where the first switch returns to
	sp -= 6;
	memset(sp, 0, 6 * sizeof *sp);
	f.sp = sp;
#else
	getcontext(&f.ctx);
	f.ctx.uc_stack.ss_sp = top - STACK;
	f.ctx.uc_stack.ss_size = STACK;
	f.ctx.uc_link = nullptr;
	makecontext(&f.ctx, start, 0);
#endif
}

static void wait(state s) {
	int me = current;
	fibers[me].st = s;
	leave();
	shim_tid = me;
}

extern "C" void shim_barrier() { wait(AT_BARRIER); }

extern "C" shim_exchange *shim_warp(long v) {
	int me = current, parity = fibers[me].parity;
	shim_exchange *x = &exchanges[parity][me / 32];
	x->lane[me % 32] = v;
	x->there = false;
	fibers[me].parity ^= 1; // nobody is two shuffles ahead: two places are enough
	wait(AT_SHUFFLE);
	return x;
}

// release lets the fibers lo to hi go on if all of them wait for s. It returns
// 1 if so, 0 if not, -1 if some can never come.
static int release(state s, int lo, int hi) {
	int waiting = 0, ended = 0;
	for (int i = lo; i < hi; i++) {
		waiting += fibers[i].st == s;
		ended += fibers[i].st == ENDED;
	}
	if (waiting && ended) return -1;
	if (waiting < hi - lo) return 0;
	for (int i = lo; i < hi; i++) fibers[i].st = RUNNABLE;
	return 1;
}

bool run_block(void (*f)(void **), void **args, int threads) {
	if (!stacks) stacks = (char *)mmap(nullptr, MOST * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	body = f;
	arguments = args;
	memset(__start_kern_shared, 0xff, __stop_kern_shared - __start_kern_shared);
	for (int i = 0; i < threads; i++) prepare(i);
	for (;;) {
		int ran = 0;
		for (int warp = 0; warp < threads; warp += 32) {
			int end = warp + 32 < threads ? warp + 32 : threads;
			for (;;) { // a warp goes on alone from shuffle to shuffle
				for (int i = warp; i < end; i++) {
					if (fibers[i].st != RUNNABLE) continue;
					current = shim_tid = i;
					enter(i);
					ran++;
				}
				int r = release(AT_SHUFFLE, warp, end);
				if (r < 0) return false;
				if (r == 0) break;
			}
		}
		int ended = 0;
		for (int i = 0; i < threads; i++) ended += fibers[i].st == ENDED;
		if (ended == threads) return true;
		if (release(AT_BARRIER, 0, threads) != 1) return false;
	}
}
