package testutil_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/testutil"
	taskstypes "poaid/x/tasks/types"
)

func TestCrewBringsTasksToTheirEnd(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Accounts: 8, Shadows: testutil.AllShadows()})
	c.RegisterEcho(c.Accounts[1])
	crew := c.NewCrew(c.Accounts[2:7]...)
	alice := c.Accounts[7]
	txs := make([][]byte, 12)
	for i := range txs {
		txs[i] = c.Tx(alice, testutil.SubmitEcho(alice, uint64(i)))
	}
	crew.Work(txs...)
	ids := testutil.TaskIDs(c, alice)
	require.Len(t, ids, len(txs))
	audited := 0
	for _, id := range ids {
		st := crew.WorkUntil(id, taskstypes.STATE_FINAL, 60)
		if st.Audited {
			audited++
		}
	}
	require.NotZero(t, audited, "a quarter of the tasks is audited")
}
