package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/engine/kernel"
	"poaid/model"
)

// childEnv makes the test binary a process that trains into a folder, for the tests that kill it.
const childEnv = "POAI_TRAIN_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child starts or resumes the training of tiny-mlp with a checkpoint a step, as slow as a kill needs it.
func child(dir string) error {
	spec, err := ReadSpec(filepath.Join("testdata", "tiny-mlp.yaml"))
	if err != nil {
		return err
	}
	job, err := spec.Job()
	if err != nil {
		return err
	}
	o := Options{Dir: dir, Threads: 1, CheckpointEvery: 1, Progress: func(Progress) { time.Sleep(8 * time.Millisecond) }}
	steps, err := Checkpoints(dir)
	if err != nil {
		return err
	}
	var s *Session
	if len(steps) == 0 {
		s, err = job.Start(o)
	} else {
		var c *Checkpoint
		if c, err = ReadCheckpoint(dir, steps[len(steps)-1]); err != nil {
			return err
		}
		s, err = job.Resume(c, o)
	}
	if err != nil {
		return err
	}
	if err := s.Run(context.Background()); err != nil {
		return err
	}
	_, _, err = s.Finish()
	return err
}

func tinyJob(t *testing.T, name string) *Job {
	t.Helper()
	spec, err := ReadSpec(filepath.Join("testdata", name+".yaml"))
	require.NoError(t, err)
	job, err := spec.Job()
	require.NoError(t, err)
	return job
}

func finish(t *testing.T, job *Job, o Options) *Report {
	t.Helper()
	s, err := job.Start(o)
	require.NoError(t, err)
	require.NoError(t, s.Run(context.Background()))
	r, _, err := s.Finish()
	require.NoError(t, err)
	return r
}

// golden are the roots of the trainings under testdata: every machine, kernel and number of threads must come to them.
type golden struct {
	Program string `json:"program_hash"`
	Weights string `json:"weights_root"`
	State   string `json:"state_root"`
	Result  string `json:"result_root"`
	Model   string `json:"model_weights_root"`
	Held    string `json:"held_back_loss"`
}

func goldenOf(r *Report) golden {
	return golden{
		r.ProgramHash.String(), r.WeightsRoot.String(), r.StateRoot.String(), r.ResultRoot.String(), r.ModelWeightsRoot.String(),
		fmt.Sprintf("%x", math.Float64bits(r.Measures[len(r.Measures)-1].Loss)),
	}
}

var tinies = []string{"tiny-mlp", "tiny-cnn", "tiny-llama"}

// TestGoldenRoots holds every kernel and number of threads to testdata/roots.json. POAI_WRITE_GOLDEN=1 writes it anew.
func TestGoldenRoots(t *testing.T) {
	path := filepath.Join("testdata", "roots.json")
	want := map[string]golden{}
	if os.Getenv("POAI_WRITE_GOLDEN") != "" {
		for _, name := range tinies {
			want[name] = goldenOf(finish(t, tinyJob(t, name), Options{Threads: 1}))
		}
		raw, err := json.MarshalIndent(want, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(raw, '\n'), 0o644))
	}
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &want))
	active := kernel.Name()
	t.Cleanup(func() { require.NoError(t, kernel.Use(active)) })
	for _, k := range kernel.Available() {
		require.NoError(t, kernel.Use(k))
		for _, name := range tinies {
			job := tinyJob(t, name)
			for _, threads := range []int{1, 2, 5} {
				require.Equal(t, want[name], goldenOf(finish(t, job, Options{Threads: threads})), "%s, kernel %s, %d threads", name, k, threads)
			}
		}
	}
}

// TestResumeIsTheSame interrupts trainings at any steps, on any number of threads, and ends with the roots and measures of one that
// nothing happened to.
func TestResumeIsTheSame(t *testing.T) {
	for _, name := range tinies {
		job := tinyJob(t, name)
		job.Spec.Evaluate.Every = 10
		whole := finish(t, job, Options{Threads: 1})
		rapid.Check(t, func(rt *rapid.T) {
			s, err := job.Start(Options{})
			require.NoError(rt, err)
			for s.Step() < whole.Steps {
				stop := rapid.Uint64Range(s.Step(), whole.Steps).Draw(rt, "stop")
				ctx, cancel := context.WithCancel(context.Background())
				s.opts.Progress = func(p Progress) {
					if p.Step == stop {
						cancel()
					}
				}
				if stop == s.Step() {
					cancel()
				}
				if err := s.Run(ctx); err != nil {
					require.ErrorIs(rt, err, ErrInterrupted)
				}
				cancel()
				require.Equal(rt, stop, s.Step())
				c, err := s.Checkpoint()
				require.NoError(rt, err)
				raw, err := c.Format()
				require.NoError(rt, err)
				c, err = ParseCheckpoint(raw)
				require.NoError(rt, err)
				s, err = job.Resume(c, Options{Threads: rapid.IntRange(1, 3).Draw(rt, "threads")})
				require.NoError(rt, err)
			}
			r, _, err := s.Finish()
			require.NoError(rt, err)
			require.Equal(rt, whole, r)
		})
	}
}

// TestKill kills the process that trains, wherever it is, until it gets to the end.
func TestKill(t *testing.T) {
	whole := finish(t, tinyJob(t, "tiny-mlp"), Options{Threads: 1})
	dir := t.TempDir()
	kills := 0
	for wait := 60 * time.Millisecond; ; wait += 20 * time.Millisecond {
		require.Less(t, kills, 200)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Start())
		timer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		require.Empty(t, stderr.String())
		if err == nil {
			break
		}
		kills++
	}
	t.Logf("%d kills", kills)
	raw, err := os.ReadFile(filepath.Join(dir, FileReport))
	require.NoError(t, err)
	var r Report
	require.NoError(t, json.Unmarshal(raw, &r))
	require.Equal(t, whole, &r)
	left, err := filepath.Glob(filepath.Join(dir, checkpointFolder, "*.tmp"))
	require.NoError(t, err)
	require.Empty(t, left)
	_, err = model.Load(dir)
	require.NoError(t, err)
}

// TestSegments cuts a training into segments, joins them, and has claims about them checked.
func TestSegments(t *testing.T) {
	ctx, job := context.Background(), tinyJob(t, "tiny-cnn")
	whole := finish(t, job, Options{})
	at, err := job.First()
	require.NoError(t, err)
	last := Segment{After: at.StateRoot}
	for _, to := range []uint64{0, 3, 4, 10} {
		seg, next, err := job.Advance(ctx, at, to, 2)
		require.NoError(t, err)
		require.Equal(t, last.After, seg.Before)
		require.Equal(t, next.StateRoot, seg.After)
		require.NoError(t, job.Verify(ctx, at, seg, 1))
		if seg.From != seg.To {
			lie := seg
			lie.After = seg.Before
			err = job.Verify(ctx, at, lie, 1)
			require.ErrorIs(t, err, ErrSegment)
			require.ErrorContains(t, err, "after")
		}
		lie := seg
		lie.Result[3] ^= 1
		require.ErrorContains(t, job.Verify(ctx, at, lie, 1), "result")
		lie = seg
		lie.Before[3] ^= 1
		require.ErrorContains(t, job.Verify(ctx, at, lie, 1), "before")
		at, last = next, seg
	}
	require.Equal(t, whole.StateRoot, last.After)
	require.Equal(t, whole.ResultRoot, last.Result)
	_, _, err = job.Advance(ctx, at, 3, 1)
	require.ErrorContains(t, err, "segment: to: 3, want 10 to 10")
}

// TestResumeNamesWhatDiffers changes one thing of a training at a time.
func TestResumeNamesWhatDiffers(t *testing.T) {
	job := tinyJob(t, "tiny-mlp")
	c, err := job.First()
	require.NoError(t, err)
	raw, err := os.ReadFile(filepath.Join("testdata", "tiny-mlp.yaml"))
	require.NoError(t, err)
	change := func(old, with string) *Job {
		text := strings.Replace(string(raw), old, with, 1)
		require.NotEqual(t, string(raw), text)
		spec, err := ParseSpec([]byte(text))
		require.NoError(t, err)
		spec.dir = "testdata"
		other, err := spec.Job()
		require.NoError(t, err)
		return other
	}
	for old, want := range map[string]struct{ with, text string }{
		"rate: 0.05":   {"rate: 0.06", "optimizer.rate: the spec says 0.06, the checkpoint's 0.05"},
		"seed: 11":     {"seed: 12", "seed: the spec says 12, the checkpoint's 11"},
		"steps: 24":    {"steps: 25", "steps: the spec says 25"},
		"hidden: [12]": {"hidden: [13]", "model.hidden: the spec says [13]"},
		"kind: linear": {"kind: cosine", `optimizer.schedule.kind: the spec says "cosine"`},
	} {
		_, err := change(old, want.with).Resume(c, Options{})
		require.ErrorIs(t, err, ErrResume)
		require.ErrorContains(t, err, want.text)
	}
	for old, with := range map[string]string{"every: 8": "every: 3", "every: 6, keep: 2": "every: 5, keep: 9", "name: tiny": "threads: 2\nname: other"} {
		_, err := change(old, with).Resume(c, Options{})
		require.NoError(t, err)
	}
	// Other data under the same name: the roots tell.
	c.Weights = append([]NamedRoot(nil), c.Weights...)
	c.Weights[2].Root[0] ^= 1
	_, err = job.Resume(c, Options{})
	require.ErrorIs(t, err, ErrResume)
	require.ErrorContains(t, err, c.Weights[2].Name)
}

// TestDiverges has a rate that no training stands: the checkpoints written before stay.
func TestDiverges(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "tiny-mlp.yaml"))
	require.NoError(t, err)
	spec, err := ParseSpec([]byte(strings.NewReplacer("rate: 0.05", "rate: 1000", "every: 6, keep: 2", "every: 1, keep: 1", "seed:", "loss: mse\nseed:").Replace(string(raw))))
	require.NoError(t, err)
	spec.dir = "testdata"
	job, err := spec.Job()
	require.NoError(t, err)
	dir := t.TempDir()
	s, err := job.Start(Options{Dir: dir})
	require.NoError(t, err)
	err = s.Run(context.Background())
	require.ErrorIs(t, err, ErrDiverged)
	require.ErrorContains(t, err, "optimizer.rate (1000)")
	require.ErrorContains(t, err, "the loss of step")
	steps, serr := Checkpoints(dir)
	require.NoError(t, serr)
	require.Len(t, steps, 1)
	require.ErrorContains(t, err, CheckpointPath(dir, steps[0]))
	c, err := ReadCheckpoint(dir, steps[0])
	require.NoError(t, err)
	for i, st := range c.States {
		for _, v := range st.F32() {
			require.True(t, finite(v), c.StateNames[i])
		}
	}
	require.NoError(t, s.WriteCurves())
	_, _, err = s.Finish()
	require.ErrorContains(t, err, "of 24 steps are done")
}

// TestStartRefusesAnotherTraining keeps what is in a folder.
func TestStartRefusesAnotherTraining(t *testing.T) {
	job, dir := tinyJob(t, "tiny-mlp"), t.TempDir()
	finish(t, job, Options{Dir: dir})
	_, err := job.Start(Options{Dir: dir})
	require.ErrorContains(t, err, "--resume")
	_, err = job.Start(Options{MaxMemory: 100})
	require.ErrorIs(t, err, ErrMemory)
	for _, name := range []string{FileMetrics, FileCurve, FileReport, model.FileMeta} {
		require.FileExists(t, filepath.Join(dir, name))
	}
	raw, err := os.ReadFile(filepath.Join(dir, FileMetrics))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	require.Len(t, lines, 26, "a header, the start, and 24 steps")
	require.Regexp(t, `^0,,,[0-9.]+,[0-9.]+$`, lines[1])
	require.Regexp(t, `^1,0\.0125,[0-9.]+,,$`, lines[2])
	require.Regexp(t, `^24,0\.005\d*,[0-9.]+,[0-9.]+,[0-9.]+$`, lines[25])
}
