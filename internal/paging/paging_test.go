package paging_test

import (
	"testing"

	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"

	"poaid/internal/paging"
)

func TestCheck(t *testing.T) {
	for _, req := range []*query.PageRequest{nil, {}} {
		got, err := paging.Check(req)
		require.NoError(t, err)
		require.Equal(t, uint64(paging.Default), got.Limit)
	}
	got, err := paging.Check(&query.PageRequest{Key: []byte{1}, Limit: paging.Max, Reverse: true})
	require.NoError(t, err)
	require.Equal(t, &query.PageRequest{Key: []byte{1}, Limit: paging.Max, Reverse: true}, got)
	for field, req := range map[string]*query.PageRequest{
		"pagination.limit": {Limit: paging.Max + 1}, "pagination.offset": {Offset: paging.Max + 1}, "pagination.count_total": {CountTotal: true},
	} {
		_, err := paging.Check(req)
		require.ErrorContains(t, err, field)
	}
}
