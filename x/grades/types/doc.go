// Package types holds the records, messages and rules of x/grades.
package types
