package durable

import (
	"errors"
	"os"
)

// ErrLocked is the error of a Lock that another process, or this one, holds.
var ErrLocked = errors.New("locked by another process")

// Lock takes the lock of a file, which it makes if need be, until release is
// called or the process ends, however it ends. The file stays. It does not wait:
// the error is ErrLocked if somebody has the lock.
func Lock(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
