// kernels.cpp: the kernels' source for the processor, and a table of them.
// table.inc, written when this is built, has one line KERNEL(name) for each.
#define KERN_HOST
#include "chest.cu"
#include "registry.h"
#include <type_traits>
#include <utility>

template <class... A, size_t... I>
static void apply(void (*f)(A...), void **args, std::index_sequence<I...>) { f(*(A *)args[I]...); }

template <auto F> struct entry_of;
template <class... A, void (*F)(A...)> struct entry_of<F> {
	static void run(void **args) { apply(F, args, std::index_sequence_for<A...>{}); }
	static int describe(char *kinds) { // p pointer, l 64-bit, i 32-bit, f float, d double
		char all[] = {(std::is_pointer<A>::value ? 'p' : std::is_same<A, float>::value ? 'f' : std::is_same<A, double>::value ? 'd' : sizeof(A) == 8 ? 'l' : 'i')..., 0};
		int n = 0;
		for (; all[n]; n++) kinds[n] = all[n];
		kinds[n] = 0;
		return n;
	}
};

template <auto F> static kernel make(const char *name) {
	kernel k;
	k.name = name;
	k.run = entry_of<F>::run;
	entry_of<F>::describe(k.kinds);
	return k;
}

#define KERNEL(name) make<name>(#name),
kernel kernels[] = {
#include "table.inc"
};
const int kernel_count = sizeof kernels / sizeof *kernels;
