package worker

import (
	"bytes"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// usedMemory is what a process occupies, in bytes; false: unknown.
func usedMemory(pid int) (int64, bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}

// machineMemory is the memory of the machine or of the control groups that
// this process is in, whichever is less.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	least := int64(info.Totalram) * int64(info.Unit)
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for g := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(g), ":", 3)
		if len(parts) < 3 {
			continue
		}
		switch {
		case parts[1] == "": // version 2
			least = min(least, groupMemory("/sys/fs/cgroup", parts[2], "memory.max", least))
		case parts[1] == "memory":
			least = min(least, groupMemory("/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes", least))
		}
	}
	return least
}

// groupMemory is the least limit of a control group and those above it.
func groupMemory(root, group, file string, least int64) int64 {
	for dir := path.Join("/", group); ; dir = path.Dir(dir) {
		b, err := os.ReadFile(path.Join(root, dir, file))
		if n, e := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && e == nil && n > 0 {
			least = min(least, n)
		}
		if dir == "/" {
			return least
		}
	}
}
