package slurm

import (
	"fmt"
	"strconv"
	"strings"
)

// row is what Slurm says of one task of an array.
type row struct {
	job    string
	task   int // -1 for a job that is no array
	state  string
	reason string // why it waits or how it ended
	node   string
	name   string // of the job
}

// ended are the states from which a job does not come back by itself.
var ended = map[string]bool{
	"COMPLETED": true, "CANCELLED": true, "FAILED": true, "TIMEOUT": true, "NODE_FAIL": true, "PREEMPTED": true,
	"BOOT_FAIL": true, "DEADLINE": true, "OUT_OF_MEMORY": true, "REVOKED": true,
}

// parseSubmitted reads sbatch --parsable: the id, and the cluster's name where
// there are several.
func parseSubmitted(out string) (job string, err error) {
	lines := strings.Fields(out)
	if len(lines) > 0 {
		job, _, _ = strings.Cut(lines[len(lines)-1], ";")
		if _, err := strconv.ParseUint(job, 10, 64); err == nil {
			return job, nil
		}
	}
	return "", fmt.Errorf("slurm: sbatch --parsable printed %q; want the job's number", out)
}

// parseSqueue reads lines of squeueFormat.
func parseSqueue(out string) (rows []row, err error) {
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		f := strings.SplitN(line, "|", 6)
		if len(f) != 6 {
			return nil, fmt.Errorf("slurm: squeue printed %q; want 6 fields, as of %s", line, squeueFormat)
		}
		task, err := parseTask(f[1])
		if err != nil {
			return nil, fmt.Errorf("slurm: squeue printed %q: %w", line, err)
		}
		rows = append(rows, row{f[0], task, f[2], f[3], f[4], f[5]})
	}
	return rows, nil
}

func parseTask(text string) (int, error) {
	if text == "N/A" || text == "" {
		return -1, nil
	}
	task, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("task %q; want its number", text)
	}
	return task, nil
}

// parseSacct reads lines of JobID, State, ExitCode and JobName. Pending tasks that
// stand in one line as 7_[2-9] are left out: only those that have ended matter.
func parseSacct(out string) (rows []row, err error) {
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		f := strings.SplitN(line, "|", 4)
		if len(f) != 4 {
			return nil, fmt.Errorf("slurm: sacct printed %q; want 4 fields", line)
		}
		job, task, array := strings.Cut(f[0], "_")
		if strings.HasPrefix(task, "[") {
			continue
		}
		r := row{job: job, task: -1, reason: "exit " + f[2], name: f[3]}
		if array {
			if r.task, err = parseTask(task); err != nil {
				return nil, fmt.Errorf("slurm: sacct printed %q: %w", line, err)
			}
		}
		r.state, _, _ = strings.Cut(strings.TrimSuffix(f[1], "+"), " ") // CANCELLED by 1000
		rows = append(rows, r)
	}
	return rows, nil
}

// parseMaxArraySize reads scontrol show config.
func parseMaxArraySize(out string) (int, error) {
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(key) != "MaxArraySize" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < 1 {
			return 0, fmt.Errorf("slurm: scontrol show config: MaxArraySize %q; this site allows no job arrays", strings.TrimSpace(value))
		}
		return n, nil
	}
	return 0, fmt.Errorf("slurm: scontrol show config says no MaxArraySize")
}
