// chest.cu is all kernels in one module.
#include "gemm.cu"
#include "chart.cu"
#include "assign.cu"
#include "tree.cu"
#include "step.cu"
#include "rank.cu"
#include "trunk.cu"
