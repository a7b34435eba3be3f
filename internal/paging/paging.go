// Package paging bounds what a paged query may read.
package paging

import (
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// Default is how many entries a page has where nothing is said.
	Default = 100
	// Max is how many it may have.
	Max = 1000
)

// Check refuses what would walk a whole store: pages of more than Max entries, large offsets and totals. Without a limit it is Default.
func Check(page *query.PageRequest) (*query.PageRequest, error) {
	if page == nil {
		return &query.PageRequest{Limit: Default}, nil
	}
	out := *page
	switch {
	case page.Limit > Max:
		return nil, status.Errorf(codes.InvalidArgument, "pagination.limit: %d, at most %d", page.Limit, Max)
	case page.Offset > Max:
		return nil, status.Errorf(codes.InvalidArgument, "pagination.offset: %d, at most %d; go on with next_key", page.Offset, Max)
	case page.CountTotal:
		return nil, status.Error(codes.InvalidArgument, "pagination.count_total: not offered, it would walk every entry")
	case page.Limit == 0:
		out.Limit = Default
	}
	return &out, nil
}
