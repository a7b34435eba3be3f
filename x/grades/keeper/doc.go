// Package keeper holds contests: entries, graders, rounds and what they pay.
package keeper
