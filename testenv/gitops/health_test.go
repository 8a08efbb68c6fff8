// Package gitops asks the libraries of GitOps tools what they make of the statuses that the operator writes.
// objects.json is made by tests/kstatus.rs from the code that writes them.
package gitops

import (
	"encoding/json"
	"os"
	"testing"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type specimen struct {
	Name    string                     `json:"name"`
	Kstatus string                     `json:"kstatus"`
	ArgoCD  string                     `json:"argoCD"`
	Object  *unstructured.Unstructured `json:"object"`
}

func specimens(t *testing.T) []specimen {
	text, err := os.ReadFile("objects.json")
	if err != nil {
		t.Fatal(err)
	}
	var found []specimen
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("objects.json holds %d objects: has it moved?", len(found))
	}
	return found
}

func TestKstatusToldByItsOwnLibrary(t *testing.T) {
	for _, specimen := range specimens(t) {
		result, err := status.Compute(specimen.Object)
		if err != nil {
			t.Fatalf("%s: %v", specimen.Name, err)
		}
		expect(t, specimen, result.Status.String(), result.Message)
	}
}

// Flux and Helm 4 wait by a fork.
func TestKstatusToldByTheForkOfFlux(t *testing.T) {
	for _, specimen := range specimens(t) {
		result, err := flux.Compute(specimen.Object)
		if err != nil {
			t.Fatalf("%s: %v", specimen.Name, err)
		}
		expect(t, specimen, result.Status.String(), result.Message)
	}
}

func expect(t *testing.T, specimen specimen, told, message string) {
	if told != specimen.Kstatus {
		t.Errorf("%s: %s (%s), expected %s", specimen.Name, told, message, specimen.Kstatus)
	}
}

func TestHealthToldByTheLuaOfTheDocumentation(t *testing.T) {
	script, err := os.ReadFile("../../docs/argocd-health.lua")
	if err != nil {
		t.Fatal(err)
	}
	for _, specimen := range specimens(t) {
		// Argo CD tells the health of an object that is being deleted by itself.
		if specimen.ArgoCD == "" {
			continue
		}
		health, message := run(t, string(script), specimen.Object.Object)
		if health != specimen.ArgoCD || message == "" {
			t.Errorf("%s: %s (%s), expected %s", specimen.Name, health, message, specimen.ArgoCD)
		}
	}
}

// run gives the script what Argo CD gives it: the base and table libraries, and the object as the global obj.
func run(t *testing.T, script string, object map[string]any) (string, string) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(library.open), Protect: true}, lua.LString(library.name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	health, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatal("the script returns no table")
	}
	return health.RawGetString("status").String(), lua.LVAsString(health.RawGetString("message"))
}

func value(state *lua.LState, from any) lua.LValue {
	switch from := from.(type) {
	case bool:
		return lua.LBool(from)
	case string:
		return lua.LString(from)
	case int64:
		return lua.LNumber(from)
	case float64:
		return lua.LNumber(from)
	case []any:
		list := state.NewTable()
		for _, item := range from {
			list.Append(value(state, item))
		}
		return list
	case map[string]any:
		table := state.NewTable()
		for key, item := range from {
			table.RawSetString(key, value(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}
