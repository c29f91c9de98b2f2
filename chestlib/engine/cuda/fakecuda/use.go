package fakecuda

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

// Needed is Path for a test, which is skipped where the library cannot be built for
// want of a compiler; with CHEST_FULL=1 it fails then.
func Needed(t testing.TB, kernels fs.FS) (path string) {
	t.Helper()
	path, err := Path(kernels)
	if errors.Is(err, ErrNoCompiler) && os.Getenv("CHEST_FULL") != "1" {
		t.Skip("SKIPPED: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	return path
}

// Use makes the library, set up as settings say, the driver that a test finds. The
// parameters of each kernel are checked against the PTX.
func Use(t testing.TB, kernels fs.FS, settings string) (path string) {
	t.Helper()
	path = Needed(t, kernels)
	if err := Reset(path, settings); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CHEST_CUDA_DRIVER", path)
	t.Setenv("CHEST_CUDA_EXACT", "1")
	return path
}

// Main runs the tests of a package with the library as their driver, or, with
// CHEST_GPU=1, with that of the machine; then it ends the process. For TestMain.
func Main(m *testing.M, kernels fs.FS) {
	if os.Getenv("CHEST_GPU") == "1" {
		os.Exit(m.Run())
	}
	path, err := Path(kernels)
	if errors.Is(err, ErrNoCompiler) && os.Getenv("CHEST_FULL") != "1" {
		fmt.Println("SKIPPED: nothing of this package was tested:", err)
		os.Exit(0)
	} else if err != nil {
		fmt.Println("FAIL:", err)
		os.Exit(1)
	}
	for name, value := range map[string]string{"CHEST_CUDA_DRIVER": path, "CHEST_CUDA_EXACT": "1"} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Println("FAIL:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
