package slurm

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// versions are recordings of two versions by tests/slurm/record.sh.
var versions = []string{"22.05.8", "24.11.5"}

// recorded are the sections of a recording.
func recordedBy(t *testing.T, version string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/slurm-" + version + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range strings.Split(string(text), "== ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		sections[name] = body
	}
	return sections
}

func TestRecorded(t *testing.T) {
	for _, v := range versions {
		s := recordedBy(t, v)
		if !strings.Contains(s["version"], v) {
			t.Errorf("%s: the recording is of %q", v, s["version"])
		}
		if job, err := parseSubmitted(s["sbatch"]); job != "1" || err != nil {
			t.Errorf("%s: job %q, %v", v, job, err)
		}
		states := func(section string) map[string]int {
			rows, err := parseSqueue(s[section])
			if err != nil {
				t.Errorf("%s, %s: %v", v, section, err)
			}
			count := map[string]int{}
			for _, r := range rows {
				count[r.state]++
				if r.name == "" || r.job == "" || strings.HasPrefix(r.name, "chest-x") && (r.task < 0 || r.task > 3) || r.name == "chest-y-0" && r.task != -1 {
					t.Errorf("%s, %s: row %+v", v, section, r)
				}
			}
			return count
		}
		if n := states("squeue"); n["PENDING"]+n["RUNNING"] != 4 {
			t.Errorf("%s: states %v of four tasks that have not ended", v, n)
		}
		if n := states("later"); n["COMPLETED"] != 1 || n["FAILED"] != 3 {
			t.Errorf("%s: states %v, want 1 completed and 3 failed", v, n)
		}
		if n := states("cancelled"); n["CANCELLED"] != 3 {
			t.Errorf("%s: states %v of three that were cancelled", v, n)
		}
		if n, err := parseMaxArraySize(s["config"]); n != 1001 || err != nil {
			t.Errorf("%s: MaxArraySize %d, %v", v, n, err)
		}
		if !strings.Contains(s["unknown"], "Invalid job id") || !strings.Contains(s["sacct"], "accounting storage is disabled") {
			t.Errorf("%s: other words for an unknown job or no accounting: %q, %q", v, s["unknown"], s["sacct"])
		}
		if err := (&CommandError{"squeue", s["down"], errors.New("exit status 1")}); !unreachable(err) {
			t.Errorf("%s: %v is not of a controller that is away", v, err)
		}
		for _, line := range strings.Split(s["refused"], "exit ")[:1] {
			if err := (&CommandError{"sbatch", line, errors.New("exit status 1")}); !strings.Contains(err.Error(), "sinfo") || unreachable(err) {
				t.Errorf("%s: no remedy in %q", v, err)
			}
		}
	}
}

func TestParseSacct(t *testing.T) {
	rows, err := parseSacct("7_0|COMPLETED|0:0|chest-a-0\n7_1|CANCELLED by 1000|0:15|chest-a-0\n7_[2-9%4]|PENDING|0:0|chest-a-0\n8|TIMEOUT|0:0|with|bar\n\n")
	want := []row{
		{job: "7", task: 0, state: "COMPLETED", reason: "exit 0:0", name: "chest-a-0"},
		{job: "7", task: 1, state: "CANCELLED", reason: "exit 0:15", name: "chest-a-0"},
		{job: "8", task: -1, state: "TIMEOUT", reason: "exit 0:0", name: "with|bar"},
	}
	if err != nil || len(rows) != len(want) {
		t.Fatalf("%+v, %v", rows, err)
	}
	for i := range want {
		if rows[i] != want[i] {
			t.Errorf("row %+v, want %+v", rows[i], want[i])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, err := range map[string]error{
		"sbatch":         second(parseSubmitted("Submitted batch job 7\nsee below")),
		"squeue, short":  second(parseSqueue("1|2|RUNNING\n")),
		"squeue, task":   second(parseSqueue("1|x|RUNNING|None|n1|a\n")),
		"sacct, short":   second(parseSacct("1|RUNNING\n")),
		"sacct, task":    second(parseSacct("1_x|FAILED|0:0|a\n")),
		"no array size":  second(parseMaxArraySize("MaxJobCount = 1\n")),
		"array size 0":   second(parseMaxArraySize("MaxArraySize = 0\n")),
		"array size bad": second(parseMaxArraySize("MaxArraySize = many\n")),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "slurm: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// FuzzParse: no output of a command ends the sweep's process.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"1|0|PENDING|None||a\n", "5|N/A|RUNNING|None|n1|a|b\n", "7_1|CANCELLED by 1|0:15|a\n", "MaxArraySize = 5", "12;c\n", "|||||"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := parseSqueue(text)
		if err == nil && len(rows) > strings.Count(text, "\n")+1 {
			t.Errorf("%d rows of %q", len(rows), text)
		}
		parseSacct(text)
		if n, err := parseMaxArraySize(text); err == nil && n < 1 {
			t.Errorf("MaxArraySize %d of %q", n, text)
		}
		if job, err := parseSubmitted(text); err == nil && job == "" {
			t.Errorf("no job of %q", text)
		}
	})
}
