// Package branch makes a transition of a module on a branch of the state, so that what fails leaves no trace.
package branch

import (
	"context"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Run runs f on a branch of the state that is written only if f succeeds. A panic counts as an error: what a single entry of a queue
// provokes must not halt the chain.
func Run(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	branched, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	if err := f(branched); err != nil {
		return err
	}
	write()
	return nil
}
