// Package types holds the types of x/rewards: supply, pools, claims, vesting.
package types
