package main

const memoryChild = "memory-child"

func runMemoryChild([]string) error { return nil }

func benchMemory(config) ([]row, error) { return nil, nil }
