//go:build !unix

package localnet

import (
	"errors"
	"os"
	"syscall"
)

func processGroup() *syscall.SysProcAttr { return nil }

func pause(*os.Process) error { return errors.ErrUnsupported }

func resume(*os.Process) error { return errors.ErrUnsupported }

// lockFile cannot lock here: that nobody else uses the home is up to people.
func lockFile(*os.File) (bool, error) { return true, nil }
