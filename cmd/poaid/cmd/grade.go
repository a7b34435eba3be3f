package cmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/spf13/cobra"

	"poaid/commit"
	"poaid/daemon/chain"
	gradestypes "poaid/x/grades/types"
)

const (
	flagGrade  = "grade"
	saltGrades = "grades" // purpose of the salt
)

func gradesTxCmd() *cobra.Command {
	return group("grades", "Transactions of contests", sealGradesCmd(), revealGradesCmd())
}

func sealGradesCmd() *cobra.Command {
	return gradeCmd("seal", "Seal grades of the running round of a contest, as a grader that was drawn",
		func(contest string, round uint64, grader string, _ []uint32, seal commit.Hash, _ [32]byte) (sdk.Msg, proto.Message) {
			return &gradestypes.MsgSealGrades{Grader: grader, Contest: contest, Round: round, Seal: seal[:]}, &gradestypes.MsgSealGradesResponse{}
		})
}

func revealGradesCmd() *cobra.Command {
	return gradeCmd("reveal", "Reveal the grades that were sealed; give the same ones",
		func(contest string, round uint64, grader string, grades []uint32, _ commit.Hash, salt [32]byte) (sdk.Msg, proto.Message) {
			return &gradestypes.MsgRevealGrades{Grader: grader, Contest: contest, Round: round, Grades: grades, Salt: salt[:]},
				&gradestypes.MsgRevealGradesResponse{}
		})
}

type gradeMsg func(contest string, round uint64, grader string, grades []uint32, seal commit.Hash, salt [32]byte) (sdk.Msg, proto.Message)

func gradeCmd(verb, short string, build gradeMsg) *cobra.Command {
	cmd := &cobra.Command{
		Use:   verb + " CONTEST",
		Short: short,
		Long: short + `.

Grades are whole numbers from 0 to 65,535, by slot (poaid query grades entries CONTEST); only their proportions count, and slots left out have 0. The salt
follows from the key, so that any machine with the key can reveal.`,
		Example: "  poaid tx grades " + verb + " poems --grade 0=10 --grade 3=25 --from worker",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			clientCtx, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			node, err := dialFlags(cmd.Context(), clientCtx)
			if err != nil {
				return err
			}
			return errors.Join(runGrade(cmd, clientCtx, node, verb, args[0], build), node.Close())
		},
	}
	cmd.Flags().StringArray(flagGrade, nil, "Grade of an entry: SLOT=N (needed, once an entry)")
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

func runGrade(cmd *cobra.Command, clientCtx client.Context, node *chain.Client, verb, contest string, build gradeMsg) error {
	given, err := cmd.Flags().GetStringArray(flagGrade)
	if err != nil {
		return err
	}
	res, err := gradestypes.NewQueryClient(node).Contest(cmd.Context(), &gradestypes.QueryContestRequest{Id: contest})
	if err != nil {
		return err
	}
	c := res.Contest
	grades, err := parseGrades(given, c.MaxEntries)
	if err != nil {
		return err
	}
	signer, err := chain.NewSigner(clientCtx.Keyring, clientCtx.FromName, "", "", encodingOf(clientCtx))
	if err != nil {
		return err
	}
	secret, err := signer.SaltSecret()
	if err != nil {
		return err
	}
	salt := commit.Salt(secret, clientCtx.ChainID, gradestypes.SealItem(c.Number, c.Round), saltGrades)
	seal := gradestypes.Seal(clientCtx.ChainID, c.Number, c.Round, signer.Address(), grades, salt)
	msg, response := build(c.Id, c.Round, signer.Address(), grades, seal, salt)
	hash, err := send(cmd, clientCtx, node, fmt.Sprintf("%s grades of round %d of %s", verb, c.Round, c.Id), msg, response)
	if errors.Is(err, errHandled) {
		return nil
	}
	if err == nil {
		fmt.Fprintf(cmd.OutOrStdout(), "%X\n", hash)
	}
	return err
}

// parseGrades reads SLOT=N; slots that are not given have 0, and the last one given is not 0.
func parseGrades(given []string, maxEntries uint32) ([]uint32, error) {
	if len(given) == 0 {
		return nil, fmt.Errorf("--%s: give at least one, such as 0=10", flagGrade)
	}
	var grades []uint32
	seen := map[uint64]bool{}
	for _, s := range given {
		left, right, ok := strings.Cut(s, "=")
		slot, err := strconv.ParseUint(left, 10, 32)
		if !ok || err != nil || slot >= uint64(maxEntries) || seen[slot] {
			return nil, fmt.Errorf("--%s %q: want SLOT=N, each slot once, below %d", flagGrade, s, maxEntries)
		}
		n, err := strconv.ParseUint(right, 10, 32)
		if err != nil || n > gradestypes.MaxGrade {
			return nil, fmt.Errorf("--%s %q: a grade is a whole number from 0 to %d", flagGrade, s, gradestypes.MaxGrade)
		}
		seen[slot] = true
		for uint64(len(grades)) <= slot {
			grades = append(grades, 0)
		}
		grades[slot] = uint32(n)
	}
	return grades, nil
}
