// Command openapi finishes the generated OpenAPI document read from stdin and writes it to stdout: it gives the document a title
// and every operation an id of its own (the generator calls every module's query "Query_Params").
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run(r io.Reader, w io.Writer) error {
	var doc map[string]any
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	doc["info"] = map[string]any{
		"title":       "poaid",
		"version":     "1",
		"description": "Queries of a poaid node: AI tasks, models, participants, scores and rewards, and those of the Cosmos SDK's modules.",
	}
	delete(doc, "tags")
	paths, ok := doc["paths"].(map[string]any)
	if !ok {
		return fmt.Errorf("paths: missing")
	}
	for path, methods := range paths {
		ops, ok := methods.(map[string]any)
		if !ok {
			return fmt.Errorf("paths %s: not an object", path)
		}
		for method, op := range ops {
			o, ok := op.(map[string]any)
			if !ok {
				return fmt.Errorf("paths %s %s: not an object", path, method)
			}
			if err := rename(o); err != nil {
				return fmt.Errorf("paths %s %s: %w", path, method, err)
			}
		}
	}
	enc := json.NewEncoder(w) // sorts keys
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(doc)
}

// rename makes the id of an operation from its service and method: poai.tasks.v1.Query and Query_Task become
// poai.tasks.v1.Task, listed under poai.tasks.v1.
func rename(op map[string]any) error {
	id, ok := op["operationId"].(string)
	if !ok {
		return fmt.Errorf("operationId: missing")
	}
	tags, ok := op["tags"].([]any)
	if !ok || len(tags) != 1 {
		return fmt.Errorf("tags: want one, got %v", op["tags"])
	}
	service, ok := tags[0].(string)
	if !ok {
		return fmt.Errorf("tags: %v is not a name", tags[0])
	}
	pkg := service[:max(0, strings.LastIndexByte(service, '.'))]
	op["operationId"] = pkg + "." + id[strings.IndexByte(id, '_')+1:]
	op["tags"] = []string{pkg}
	return nil
}
