// Go's own text/template with sprig's functions and Argo CD's own, as a judge for ours: reads a JSON line per case on standard input,
// {"template": "...", "data": {...}, "option": "missingkey=error"}, and answers a JSON line per case on standard
// output, {"output": "..."} or {"stage": "parse" | "execute", "error": "..."}. A line {"slug": "..."} is a branch, and
// is answered with the slug that Argo CD makes of it, by gosimple/slug.
//
// With the word `bench` it measures instead: reads one {"templates": ["..."], "params": [{...}], "times": N}, parses
// each template once, executes all of them N times over the params in turn, and answers {"cpuSeconds": ...}, the CPU
// of the whole process while they were executed.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"syscall"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/gosimple/slug"
	"sigs.k8s.io/yaml"
)

type question struct {
	Template string         `json:"template"`
	Data     map[string]any `json:"data"`
	Option   string         `json:"option"`
	Slug     *string        `json:"slug"`
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
	functions["normalize"] = normalize
	functions["slugify"] = slugify
	functions["toYaml"] = toYaml
	functions["fromYaml"] = func(text string) (map[string]any, error) { return fromYaml(text, map[string]any{}) }
	functions["fromYamlArray"] = func(text string) ([]any, error) { return fromYaml(text, []any{}) }
	if len(os.Args) > 1 && os.Args[1] == "bench" {
		if err := bench(functions); err != nil {
			fmt.Fprintln(os.Stderr, "cannot measure:", err)
			os.Exit(1)
		}
		return
	}
	slug.CustomSub = map[string]string{"_": "-"}
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
	if asked.Slug != nil {
		slug.MaxLength = 50
		slug.EnableSmartTruncate = true
		made := slug.Make(*asked.Slug)
		return answer{Output: &made}
	}
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

var unfit = regexp.MustCompile("[^a-z0-9.-]")

// What Argo CD makes of a name: fit for a host, and no longer than one may be.
func normalize(name string) string {
	fit := unfit.ReplaceAllString(strings.ToLower(name), "-")
	return strings.Trim(fit[:min(len(fit), 253)], "-.")
}

// Any number of arguments, the last of which is the name: before it come the limit and whether to cut at a dash. A
// value of another type panics, as it does in Argo CD.
func slugify(values ...any) string {
	slug.MaxLength = 50
	slug.EnableSmartTruncate = true
	if len(values) == 0 {
		return slug.Make("")
	}
	last := len(values) - 1
	if last > 0 {
		slug.MaxLength = values[0].(int)
	}
	if last > 1 {
		slug.EnableSmartTruncate = values[1].(bool)
	}
	return slug.Make(normalize(values[last].(string)))
}

// By way of JSON, as Argo CD does: what JSON cannot hold is an error, and keys are in order.
func toYaml(value any) (string, error) {
	text, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}

// What is read goes into a value that is there, so that nothing but null leaves it empty.
func fromYaml[T any](text string, into T) (T, error) {
	err := yaml.Unmarshal([]byte(text), &into)
	return into, err
}

type load struct {
	Templates []string         `json:"templates"`
	Params    []map[string]any `json:"params"`
	Times     int              `json:"times"`
}

func bench(functions template.FuncMap) error {
	var asked load
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	if len(asked.Params) == 0 {
		return fmt.Errorf("there are no params")
	}
	var parsed []*template.Template
	for _, text := range asked.Templates {
		one, err := template.New("").Funcs(functions).Option("missingkey=error").Parse(text)
		if err != nil {
			return err
		}
		parsed = append(parsed, one)
	}
	before, err := cpuSeconds()
	if err != nil {
		return err
	}
	characters := 0
	for turn := range asked.Times {
		for _, one := range parsed {
			var made bytes.Buffer
			if err := one.Execute(&made, asked.Params[turn%len(asked.Params)]); err != nil {
				return err
			}
			characters += len(made.String())
		}
	}
	after, err := cpuSeconds()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"cpuSeconds": after - before, "characters": characters})
}

func cpuSeconds() (float64, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	seconds := func(time syscall.Timeval) float64 { return float64(time.Sec) + float64(time.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime), nil
}
