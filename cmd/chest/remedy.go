package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// complain tells an error on standard error.
func complain(err error) { fmt.Fprintln(os.Stderr, "chest:", remedied(err)) }

// remedies say what to do about an error of the system.
var remedies = []struct {
	kind error
	what string
}{
	{fs.ErrNotExist, "check the path"},
	{fs.ErrExist, "remove it or name another"},
	{fs.ErrPermission, "change the permissions or name another place"},
	{syscall.EROFS, "name a place that can be written"},
	{syscall.ENOTDIR, "a file stands where a folder should: name another path"},
	{syscall.EISDIR, "name a file"},
	{syscall.ENOSPC, "make room and run it again"},
}

// remedied is the text of an error. One that ends with what the system says of a
// file has a remedy behind it.
func remedied(err error) string {
	text := err.Error()
	var errno syscall.Errno
	if !errors.As(err, &errno) || !strings.HasSuffix(text, errno.Error()) {
		return text
	}
	for _, r := range remedies {
		if errors.Is(errno, r.kind) {
			return text + "; " + r.what
		}
	}
	return text
}
