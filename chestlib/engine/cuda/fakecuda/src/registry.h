#ifndef REGISTRY_H
#define REGISTRY_H
// kernel is one kernel that was compiled for the processor.
struct kernel {
	const char *name;
	void (*run)(void **args);
	char kinds[64]; // of its parameters, see kernels.cpp
};
extern kernel kernels[];
extern const int kernel_count;
#endif
