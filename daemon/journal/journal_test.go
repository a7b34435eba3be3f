package journal

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	taskstypes "poaid/x/tasks/types"
)

func record(task uint64, root byte) Record {
	r := Record{Task: task, Role: Worker, Model: "m", ResultRoot: commit.Hash{root}, Salt: commit.Hash{9}, Height: 7}
	r.Seal = commit.Seal("chain", task, "me", r.ResultRoot, r.Salt)
	r.Outputs = []taskstypes.NamedTensor{{Name: "o", Shape: []int64{1}, Data: []byte{1, 0, 255}}}
	return r
}

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path, "chain", "me")
	require.NoError(t, err)
	return j
}

func TestRecordsSurvive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "journal.db")
	j := open(t, path)
	require.NoError(t, j.Put(record(1, 1)))
	require.NoError(t, j.Close())

	j = open(t, path)
	defer j.Close()
	got, err := j.Get(Worker, 1)
	require.NoError(t, err)
	require.Equal(t, record(1, 1), got)
	_, err = j.Get(Verifier, 1)
	require.ErrorIs(t, err, ErrNotFound, "roles are apart")
	require.NoError(t, j.Delete(Worker, 1))
	_, err = j.Get(Worker, 1)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestFirstRecordStands(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j"))
	defer j.Close()
	require.NoError(t, j.Put(record(1, 1)))
	require.NoError(t, j.Put(record(1, 1)))
	require.ErrorIs(t, j.Put(record(1, 2)), ErrConflict)
	got, err := j.Get(Worker, 1)
	require.NoError(t, err)
	require.Equal(t, commit.Hash{1}, got.ResultRoot)
}

func TestChainsAndParticipantsAreApart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path)
	require.NoError(t, j.Put(record(1, 1)))
	require.NoError(t, j.Close())
	for _, who := range [][2]string{{"chain", "you"}, {"other", "me"}} {
		j, err := Open(path, who[0], who[1])
		require.NoError(t, err)
		_, err = j.Get(Worker, 1)
		require.ErrorIs(t, err, ErrNotFound)
		require.NoError(t, j.Close())
	}
}

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path)
	defer j.Close()
	_, err := Open(path, "chain", "me")
	require.ErrorContains(t, err, "another daemon")
}

func TestTasksPages(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j"))
	defer j.Close()
	for _, task := range []uint64{300, 1, 2, 70000} {
		require.NoError(t, j.Put(record(task, 1)))
	}
	v := record(5, 1)
	v.Role = Verifier
	require.NoError(t, j.Put(v))
	page, err := j.Tasks(Worker, 0, 2)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 2}, page)
	page, err = j.Tasks(Worker, 2, 5)
	require.NoError(t, err)
	require.Equal(t, []uint64{300, 70000}, page)
}

// TestKilled kills a real process while it writes: whatever it said was written must be there.
func TestKilled(t *testing.T) {
	if path := os.Getenv("JOURNAL_TEST_CHILD"); path != "" {
		j := open(t, path)
		for task := uint64(1); ; task++ {
			if err := j.Put(record(task, 1)); err != nil {
				os.Exit(1)
			}
			_, _ = os.Stdout.WriteString("\nwrote " + strconv.FormatUint(task, 10) + "\n")
		}
	}
	path := filepath.Join(t.TempDir(), "j")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "JOURNAL_TEST_CHILD="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var last uint64
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if s, ok := strings.CutPrefix(lines.Text(), "wrote "); ok {
			last, err = strconv.ParseUint(s, 10, 64)
			require.NoError(t, err)
			if last == 50 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
	}
	require.Error(t, cmd.Wait())
	require.GreaterOrEqual(t, last, uint64(50))
	j := open(t, path)
	defer j.Close()
	tasks, err := j.Tasks(Worker, 0, int(last))
	require.NoError(t, err)
	require.Len(t, tasks, int(last))
}
