package sprints_test

import (
	"errors"
	"regexp"
	"strconv"

	errorsmod "cosmossdk.io/errors"
)

var coded = regexp.MustCompile(`^code (\d+) of sprints`)

// codeOf reads the code of an error of x/sprints; 0 for none and for any other.
func codeOf(err error) uint32 {
	var e *errorsmod.Error
	if errors.As(err, &e) {
		return e.ABCICode()
	}
	if err == nil {
		return 0
	}
	if m := coded.FindStringSubmatch(err.Error()); m != nil {
		n, convErr := strconv.ParseUint(m[1], 10, 32)
		if convErr == nil {
			return uint32(n)
		}
	}
	return 0
}
