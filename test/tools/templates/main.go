// Go's own text/template with sprig's functions, as a judge for ours: reads a JSON line per case on standard input,
// {"template": "...", "data": {...}, "option": "missingkey=error"}, and answers a JSON line per case on standard
// output, {"output": "..."} or {"stage": "parse" | "execute", "error": "..."}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

type question struct {
	Template string         `json:"template"`
	Data     map[string]any `json:"data"`
	Option   string         `json:"option"`
}

type answer struct {
	Output *string `json:"output,omitempty"`
	Stage  string  `json:"stage,omitempty"`
	Error  string  `json:"error,omitempty"`
}

func main() {
	debug.SetMaxStack(16 << 20)
	functions := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 16<<20)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	encoder := json.NewEncoder(output)
	encoder.SetEscapeHTML(false)
	for input.Scan() {
		var asked question
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, "not a question:", err)
			os.Exit(1)
		}
		if err := encoder.Encode(judge(asked, functions)); err != nil {
			fmt.Fprintln(os.Stderr, "cannot answer:", err)
			os.Exit(1)
		}
		// A map that holds itself overflows Go's stack when it is printed, which nothing can recover: what was
		// answered before must be out by then, so that whoever asks knows which question it was.
		output.Flush()
	}
	if err := input.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot read:", err)
		os.Exit(1)
	}
}

// A function of sprig that panics is an error of its call, as it is to whoever executes a template with care.
func judge(asked question, functions template.FuncMap) (answered answer) {
	stage := "parse"
	defer func() {
		if cause := recover(); cause != nil {
			answered = answer{Stage: stage, Error: fmt.Sprint("panic: ", cause)}
		}
	}()
	parsed := template.New("").Funcs(functions)
	if asked.Option != "" {
		parsed = parsed.Option(asked.Option)
	}
	parsed, err := parsed.Parse(asked.Template)
	if err != nil {
		return answer{Stage: stage, Error: err.Error()}
	}
	stage = "execute"
	var made bytes.Buffer
	if err := parsed.Execute(&made, asked.Data); err != nil {
		return answer{Stage: stage, Error: err.Error()}
	}
	text := made.String()
	return answer{Output: &text}
}
