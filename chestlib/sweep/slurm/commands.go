package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// answer is how long a command of Slurm may take.
const answer = 2 * time.Minute

// CommandError is a command of Slurm that failed.
type CommandError struct {
	Command string // with its arguments
	Output  string // of both kinds
	Err     error
}

// Error names the command, what it said and, where one is known, a remedy.
func (e *CommandError) Error() string {
	text := fmt.Sprintf("slurm: %s: %v: %s", e.Command, e.Err, strings.TrimSpace(e.Output))
	if r := e.remedy(); r != "" {
		text += "; " + r
	}
	return text
}

func (e *CommandError) Unwrap() error { return e.Err }

// remedies say what helps, by what Slurm says.
var remedies = []struct{ said, remedy string }{
	{"executable file not found", "Slurm's commands are not on PATH here: use a login node, or load the site's module for Slurm"},
	{"Invalid account", "name one that you may use: --slurm-flag=--account=NAME (sacctmgr show assoc user=$USER)"},
	{"invalid partition", "name one that is there: --slurm-flag=--partition=NAME (sinfo)"},
	{"No partition specified", "name one: --slurm-flag=--partition=NAME (sinfo)"},
	{"Requested time limit", "ask for less time: --slurm-flag=--time=…"},
	{"Invalid generic resource", "the site names its GPUs otherwise (sinfo -o '%P %G')"},
	{"Requested node configuration is not available", "ask for less, or for another partition (sinfo -o '%P %c %m %G')"},
	{"Job violates accounting/QOS policy", "the site limits jobs: take more runs a task with --per-task, or a lower --throttle"},
	{"Slurm temporarily unable to accept job", "the queue is full: take more runs a task with --per-task"},
	{"Invalid job array specification", "the array is longer than the site allows: take more runs a task with --per-task"},
	{"Unable to contact slurm controller", "the controller is down or cannot be reached (scontrol ping)"},
}

func (e *CommandError) remedy() string {
	for _, r := range remedies {
		if strings.Contains(e.Output+e.Err.Error(), r.said) {
			return r.remedy
		}
	}
	return ""
}

// unreachable says that the controller gave no answer, so that nothing is known.
func unreachable(err error) bool {
	var c *CommandError
	if !errors.As(err, &c) {
		return false
	}
	for _, said := range []string{"Unable to contact slurm controller", "Socket timed out", "Connection refused", "Zero Bytes were transmitted", "Connection timed out", "Transport endpoint is not connected"} {
		if strings.Contains(c.Output, said) {
			return true
		}
	}
	return errors.Is(c.Err, context.DeadlineExceeded)
}

// run runs a command of Slurm and returns its standard output.
func run(ctx context.Context, name string, args ...string) (string, error) {
	limited, stop := context.WithTimeout(ctx, answer)
	defer stop()
	cmd := exec.CommandContext(limited, name, args...)
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		if limited.Err() != nil {
			err = limited.Err()
		}
		return out.String(), &CommandError{shellQuote(append([]string{name}, args...)), errs.String() + out.String(), err}
	}
	return out.String(), nil
}

// sbatch submits and returns the job's id. Without an answer the job may have been
// taken, so the name is looked for before it is given up.
func sbatch(ctx context.Context, name string, args []string) (job string, err error) {
	out, err := run(ctx, "sbatch", args...)
	if err != nil {
		if rows, lookErr := named(ctx, []string{name}); lookErr == nil && len(rows) > 0 {
			return rows[0].job, nil
		}
		return "", err
	}
	return parseSubmitted(out)
}

// squeueFormat is the same on all versions, unlike JSON: job, task, state, reason,
// node and, last as it may be anything, the name.
const squeueFormat = "%F|%K|%T|%r|%N|%j"

// jobs are the rows of jobs by id, with those that have ended not long ago.
func jobs(ctx context.Context, ids []string) ([]row, error) {
	out, err := run(ctx, "squeue", "-h", "-r", "-t", "all", "-j", strings.Join(ids, ","), "-o", squeueFormat)
	var c *CommandError
	if errors.As(err, &c) && strings.Contains(c.Output, "Invalid job id") {
		return nil, nil // all are forgotten
	} else if err != nil {
		return nil, err
	}
	return parseSqueue(out)
}

// named are the rows of jobs by their names.
func named(ctx context.Context, names []string) ([]row, error) {
	out, err := run(ctx, "squeue", "-h", "-r", "-t", "all", "-n", strings.Join(names, ","), "-o", squeueFormat)
	if err != nil {
		return nil, err
	}
	return parseSqueue(out)
}

// accounted are the rows that the accounting has; off says that the site keeps
// none.
func accounted(ctx context.Context, ids []string) (rows []row, off bool, err error) {
	out, err := run(ctx, "sacct", "-n", "-P", "-X", "-j", strings.Join(ids, ","), "-o", "JobID,State,ExitCode,JobName")
	var c *CommandError
	if errors.As(err, &c) && (strings.Contains(c.Output, "accounting storage is disabled") || errors.Is(err, exec.ErrNotFound)) {
		return nil, true, nil
	} else if err != nil {
		return nil, false, err
	}
	rows, err = parseSacct(out)
	return rows, false, err
}

// maxArraySize is how many tasks an array may have.
func maxArraySize(ctx context.Context) (int, error) {
	out, err := run(ctx, "scontrol", "show", "config")
	if err != nil {
		return 0, err
	}
	return parseMaxArraySize(out)
}
