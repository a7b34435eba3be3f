// Package keeper keeps one 32-byte random value per height.
package keeper
