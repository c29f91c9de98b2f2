#ifndef FIBERS_H
#define FIBERS_H
// run_block runs one block of a kernel. false: threads of it do not meet at a
// barrier or shuffle.
bool run_block(void (*f)(void **), void **args, int threads);
#endif
