package slurm

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/chestlab/chest/internal/durable"
)

// batch is one submission. Its folder, slurm/NAME below the runs', has
//
//	list        the IDs of its runs, one a line; it never changes
//	script      what sbatch got
//	token       a random word, by which a node knows that it sees this folder
//	jobs.json   this struct
//	JOB_TASK.log   what each task of the array wrote, beside the runs' own logs
//
// NAME is random, and so its jobs' names are nobody else's: an id that Slurm gave
// to another job after a crash is told by the name.
type batch struct {
	dir  string
	runs []string

	Token   string
	PerTask int
	Parts   []part
	Over    bool // none of its jobs runs any more
}

// part is one array of a batch that is too long for a single one.
type part struct {
	Job   string // id; "" if it is not known that sbatch took it
	First int    // task
	Tasks int
}

func (b *batch) name() string         { return filepath.Base(b.dir) }
func (b *batch) part(i int) string    { return fmt.Sprintf("%s-%d", b.name(), i) } // the job's name
func (b *batch) file(n string) string { return filepath.Join(b.dir, n) }
func (b *batch) log(p, k int) string  { return b.file(fmt.Sprintf("%s_%d.log", b.Parts[p].Job, k)) }
func (b *batch) where(run int) (p, k int) { // the task of a run, by its part and its number there
	task := run / b.PerTask
	for i, part := range b.Parts {
		if task < part.First+part.Tasks {
			return i, task - part.First
		}
	}
	return len(b.Parts) - 1, task - b.Parts[len(b.Parts)-1].First
}

// split makes the parts of n tasks, of at most most tasks each.
func (b *batch) split(n, most int) {
	for first := 0; first < n; first += most {
		b.Parts = append(b.Parts, part{First: first, Tasks: min(most, n-first)})
	}
}

// newBatch freezes a list of runs.
func (e Engine) newBatch(dir string, runs []string, most int) (*batch, error) {
	b := &batch{dir: filepath.Join(dir, "slurm", "chest-"+random(5)), runs: runs, Token: random(12), PerTask: e.perTask()}
	b.split((len(runs)+b.PerTask-1)/b.PerTask, most)
	err := os.MkdirAll(b.dir, 0o777)
	for name, text := range map[string]string{"list": strings.Join(runs, "\n") + "\n", "token": b.Token + "\n", "script": e.script(dir, b)} {
		if err == nil {
			err = writeText(b.file(name), text)
		}
	}
	if err == nil {
		err = b.save()
	}
	if err != nil {
		return nil, fmt.Errorf("slurm: %w", err)
	}
	return b, nil
}

func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func writeText(path, text string) error {
	return durable.Write(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

func (b *batch) save() error {
	text, err := json.MarshalIndent(b, "", " ")
	if err != nil {
		return err
	}
	return writeText(b.file("jobs.json"), string(text)+"\n")
}

// batches are those of a folder of runs that may still have jobs.
func batches(dir string) (all []*batch, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "slurm", "chest-*", "jobs.json"))
	if err != nil {
		return nil, fmt.Errorf("slurm: %w", err)
	}
	for _, path := range paths {
		b := &batch{dir: filepath.Dir(path)}
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, b)
		}
		if err == nil && (b.PerTask < 1 || len(b.Parts) == 0) {
			err = fmt.Errorf("%d runs a task and %d arrays", b.PerTask, len(b.Parts))
		}
		if err == nil && !b.Over {
			b.runs, err = readList(b.file("list"))
		}
		if err != nil {
			return nil, fmt.Errorf("slurm: %s: %w; remove its folder if none of its jobs is left", path, err)
		}
		if !b.Over {
			all = append(all, b)
		}
	}
	return all, nil
}

// readList reads a frozen list.
func readList(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text)), nil
}

// script is what a node runs for a task. bash ignores the warning, which can come
// before the program is there to catch it: it would end the job.
func (e Engine) script(dir string, b *batch) string {
	t := Task{Dir: dir, List: b.file("list"), Token: b.Token, PerTask: b.PerTask, Requeues: e.requeues()}
	command := shellQuote(append(append([]string{}, e.Command...), t.Flags()...))
	return strings.Join([]string{
		"#!/bin/bash",
		"#SBATCH --output=" + sbatchQuote(escape(b.dir)+"/%A_%a.log"),
		"#SBATCH --open-mode=append",
		"#SBATCH --requeue",
		"#SBATCH --signal=B:USR1@" + strconv.Itoa(int(e.warning().Seconds())),
		"trap '' USR1",
		"exec " + command + ` --first "$1" --index "$SLURM_ARRAY_TASK_ID"`,
		"",
	}, "\n")
}

// sbatch are the arguments that submit a part; it begins after another job has
// ended if previous names one.
func (e Engine) sbatch(b *batch, i int, previous string) []string {
	p := b.Parts[i]
	array := fmt.Sprintf("--array=0-%d", p.Tasks-1)
	if e.Throttle > 0 {
		array += fmt.Sprintf("%%%d", e.Throttle)
	}
	args := []string{"--parsable", "--job-name=" + b.part(i), array}
	if previous != "" && e.Throttle > 0 {
		args = append(args, "--dependency=afterany:"+previous) // or the throttle were that of each part
	}
	args = append(args, e.Flags...)
	return append(args, b.file("script"), strconv.Itoa(p.First))
}

// gather submits the job that comes after all parts.
func (e Engine) gather(ctx context.Context, b *batch) error {
	if len(e.Gather) == 0 {
		return nil
	}
	var jobs []string
	for _, p := range b.Parts {
		jobs = append(jobs, p.Job)
	}
	script := "#!/bin/bash\n#SBATCH --output=" + sbatchQuote(escape(b.file("table.txt"))) + "\nexec " + shellQuote(e.Gather) + "\n"
	if err := writeText(b.file("gather"), script); err != nil {
		return fmt.Errorf("slurm: %w", err)
	}
	args := append([]string{"--parsable", "--job-name=" + b.name() + "-gather", "--dependency=afterany:" + strings.Join(jobs, ":")}, e.Flags...)
	_, err := run(ctx, "sbatch", append(args, b.file("gather"))...)
	return err
}

// escape hides what sbatch would replace in a file's name.
func escape(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// sbatchQuote quotes a value of an #SBATCH line.
func sbatchQuote(s string) string {
	if !strings.ContainsAny(s, " \t\"'\\#") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// shellQuote is a command line for a shell.
func shellQuote(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if quoted[i] = w; w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=/.,:%+@") != "" {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
