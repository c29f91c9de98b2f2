package slurm

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
)

// A task rewrites the file beat of the run it is at. The lock of a run is the better
// sign of life, but on some shared file systems a lock is seen only on the node that
// took it; so between nodes the beat counts, and on one node the lock alone.
const (
	beatEvery = 15 * time.Second
	beatStale = time.Minute
)

func beatFile(f sweep.Folder) string { return filepath.Join(f.Dir, f.ID, "beat") }

// beat beats until stop is called.
func beat(f sweep.Folder) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	host, _ := os.Hostname()
	go func() {
		defer close(ended)
		for {
			os.WriteFile(beatFile(f), []byte(host), 0o666)
			select {
			case <-ctx.Done():
				os.Remove(beatFile(f))
				return
			case <-time.After(beatEvery):
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// beats says that a process on another node is at the run.
func beats(f sweep.Folder, now time.Time) bool {
	st, err := os.Stat(beatFile(f))
	if err != nil || now.Sub(st.ModTime()) > beatStale {
		return false
	}
	host, _ := os.Hostname()
	who, err := os.ReadFile(beatFile(f))
	return err == nil && string(who) != "" && string(who) != host
}

// clock is the time by the file system's clock, by which beats are dated: nodes'
// own clocks may differ.
func clock(dir string) time.Time {
	f, err := os.CreateTemp(filepath.Join(dir, "slurm"), ".clock-")
	if err != nil {
		return time.Now()
	}
	defer os.Remove(f.Name())
	defer f.Close()
	f.Write([]byte("now"))
	if st, err := f.Stat(); err == nil {
		return st.ModTime()
	}
	return time.Now()
}
