package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"poaid/model/runner"
)

const (
	flagONNX        = "onnx"
	flagLlama2c     = "llama2c"
	flagSafetensors = "safetensors"
	flagTokenizer   = "tokenizer"
	flagShape       = "shape"
	flagContext     = "context"
)

func modelImportCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Make a model package of an ONNX graph, a llama2.c checkpoint or a folder with safetensors",
		Long: `Make a model package of what other programs write:

  --onnx FILE        a graph of opset 13 to 17 (7 to 20 where the ops mean the same). Inputs whose shape the file leaves open get one
                     by --shape. A node that cannot be imported is named.
  --safetensors DIR  a llama-family model (Llama, Mistral, Qwen2, Qwen3) with config.json, safetensors and tokenizer.json
  --llama2c FILE     a checkpoint in llama2.c's legacy format (what run.c reads); it needs --tokenizer tokenizer.bin

The package's folder can be run here, and registered with "poaid tx models register".`,
		Example: `  poaid model import --onnx rec.onnx --shape x=1,3,48,320 --out rec
  poaid model import --safetensors TinyLlama-1.1B --context 1024 --out tinyllama
  poaid model import --llama2c stories15M.bin --tokenizer tokenizer.bin --out stories`,
		Args: cobra.NoArgs,
		RunE: runModelImport,
	}
	f := cmd.Flags()
	f.String(flagONNX, "", "ONNX graph")
	f.StringArray(flagShape, nil, "Shape of an input of the graph: NAME=1,3,48,320")
	f.String(flagLlama2c, "", "Checkpoint of llama2.c")
	f.String(flagSafetensors, "", "Folder with config.json, safetensors and tokenizer.json")
	f.Int64(flagContext, 0, "Positions of a safetensors model (default: its own, at most 2048)")
	f.String(flagTokenizer, "", "tokenizer.bin or tokenizer.json")
	f.String(flagOut, "", "Folder to make (needed)")
	f.String(flagName, "", "What the model is called (default: the folder's name)")
	needFlags(cmd, flagOut)
	cmd.MarkFlagsOneRequired(flagONNX, flagLlama2c, flagSafetensors)
	cmd.MarkFlagsMutuallyExclusive(flagONNX, flagLlama2c, flagSafetensors)
	return cmd
}

func runModelImport(cmd *cobra.Command, _ []string) error {
	v := flagReader{set: cmd}
	i := runner.Import{
		ONNX: v.text(flagONNX), Llama2c: v.text(flagLlama2c), Safetensors: v.text(flagSafetensors), Tokenizer: v.text(flagTokenizer),
		Context: read(&v, cmd.Flags().GetInt64, flagContext), Out: v.text(flagOut), Name: v.text(flagName), Shapes: map[string][]int64{},
	}
	shapes := read(&v, cmd.Flags().GetStringArray, flagShape)
	if v.err != nil {
		return v.err
	}
	for _, s := range shapes {
		name, shape, err := runner.ParseShape(s)
		if err != nil {
			return err
		}
		i.Shapes[name] = shape
	}
	m, err := i.Run()
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s is in %s\n%s\n", m.Name, i.Out, m.Meta.Description)
	fmt.Fprintf(w, "program hash  %s\nweights root  %s\n", m.Meta.ProgramHash, m.Meta.WeightsRoot)
	return nil
}
