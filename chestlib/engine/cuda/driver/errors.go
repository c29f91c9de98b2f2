package driver

import (
	"fmt"
	"slices"
	"strings"
)

// Codes of ours, below those of the driver, which are positive.
const (
	codeUnsupported = -1 - iota // this build has no GPU support
	codeNoLibrary               // there is no driver
	codeNoSymbol                // it is too old
	codeHung                    // it does not come back
)

// Codes of the driver that something is done about.
const (
	codeOutOfMemory = 2
	codeStub        = 34
	codeNoDevice    = 100
	codeOrdinal     = 101
)

// Error is a failure of the driver, or to have one.
type Error struct {
	Code   int    // of the driver; negative: ours
	Call   string // what was called
	Step   string // what it was for, "" if nobody said
	Detail string // more, such as the log of the compiler
}

// Error says what failed, what that means and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("cuda: ")
	if e.Step != "" {
		b.WriteString(e.Step + ": ")
	}
	b.WriteString(e.Sentence())
	if r := e.Remedy(); r != "" {
		b.WriteString(" " + r)
	}
	if e.Code > 0 {
		fmt.Fprintf(&b, " (%s: error %d)", e.Call, e.Code)
	} else if e.Call != "" {
		fmt.Fprintf(&b, " (%s)", e.Call)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	return b.String()
}

// meanings are the sentences and remedies by code.
var meanings = map[int][2]string{
	codeUnsupported: {"This build has no GPU support.", "Build for linux/amd64 or linux/arm64 without the tag nogpu."},
	codeNoLibrary:   {"No NVIDIA driver found.", "Install one, or set CHEST_CUDA_DRIVER to its libcuda.so.1."},
	codeNoSymbol:    {"The NVIDIA driver is too old.", "Install 450 or newer."},
	codeHung:        {"The GPU does not answer.", "A kernel or the driver hangs; start again from the last checkpoint, in a new process."},
	codeOutOfMemory: {"The GPU is out of memory.", "Use a smaller batch, or close what else runs on it."},
	codeStub:        {"This libcuda is a stub for linking, not a driver.", "Take its directory off the path of libraries."},
	46:              {"The GPU is taken by another process in exclusive mode.", "End that, or set the compute mode to default with nvidia-smi -c 0."},
	codeNoDevice:    {"The driver sees no GPU.", "Check CUDA_VISIBLE_DEVICES, and in a container that the GPU is passed in (--gpus all)."},
	codeOrdinal:     {"There is no GPU of this number.", "Give a smaller one: cuda:0 is the first."},
	201:             {"No context of the GPU is on this thread.", "This is a bug in chest."},
	209:             {"The kernels do not run on this GPU.", "It must have compute capability 8.0 or more."},
	218:             {"The driver cannot compile the kernels.", "This is a bug in chest; the log follows."},
	221:             {"The driver's compiler is missing.", "The container lacks libnvidia-ptxjitcompiler; install it or add the capability compute."},
	222:             {"The driver is too old for the kernels.", "Install one for CUDA 11.0 or newer (450)."},
	700:             {"A kernel reached for memory that is not its own, and the GPU's context is lost.", "This is a bug in chest; start again from the last checkpoint."},
	702:             {"A kernel ran for too long and the GPU's context is lost.", "A screen on this GPU has a time limit; start again from the last checkpoint."},
	719:             {"A kernel failed and the GPU's context is lost.", "Start again from the last checkpoint."},
	802:             {"The links between the GPUs are not ready.", "Start nvidia-fabricmanager."},
	803:             {"The driver's library and its kernel module are of different versions.", "Reboot, or install libraries of the module's version in the container."},
	999:             {"The driver does not say what is wrong.", "Often the device node nvidia-uvm is missing or not permitted: run nvidia-modprobe -u, or reboot."},
}

// lost are the codes after which a context answers nothing any more.
var lost = []int{codeHung, 214, 219, 700, 702, 710, 714, 715, 716, 717, 718, 719, 999}

// Sentence is what the error means, without its name and number.
func (e *Error) Sentence() string {
	if m, ok := meanings[e.Code]; ok {
		return m[0]
	}
	if e.Lost() {
		return meanings[719][0]
	}
	return fmt.Sprintf("%s failed.", e.Call)
}

// Remedy is what may help, "" if nothing is known.
func (e *Error) Remedy() string {
	if m, ok := meanings[e.Code]; ok {
		return m[1]
	}
	if e.Lost() {
		return meanings[719][1]
	}
	return ""
}

// Lost says that the device cannot be used any more by this process.
func (e *Error) Lost() bool { return slices.Contains(lost, e.Code) }
