// Package schemas_test reads the manifests and the Dockerfile as those do who will run them, so that a field that is written wrong
// fails here. It is a module of its own: nobody else has to download their types.
package schemas_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	_ "github.com/kedacore/keda/v2/version" // for the schema of its ScaledObject, which is beside its code
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	apps "k8s.io/api/apps/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

// read checks one document against the schema of the kind that it says it is of; a field that the kind does not have is an error.
func read(text []byte) (any, error) {
	var head struct{ APIVersion, Kind string }
	if err := strict.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	var doc any
	switch head.APIVersion + " " + head.Kind {
	case "apps/v1 Deployment":
		doc = &apps.Deployment{}
	case "policy/v1 PodDisruptionBudget":
		doc = &policy.PodDisruptionBudget{}
	case "keda.sh/v1alpha1 ScaledObject":
		return readScaledObject(text)
	default:
		return nil, errors.New("there is no kind " + head.APIVersion + " " + head.Kind)
	}
	return doc, strict.UnmarshalStrict(text, doc)
}

// documents are those of a file.
func documents(t *testing.T, path string) (all [][]byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := yaml.NewDocumentDecoder(f); ; {
		text := make([]byte, 1<<20)
		n, err := r.Read(text)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text[:n])
	}
}

func TestManifests(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, path := range []string{"../kubernetes/worker.yaml", "../kubernetes/keda.yaml"} {
		for n, text := range documents(t, path) {
			doc, err := read(text)
			if err != nil {
				t.Errorf("%s, document %d: %v", path, n, err)
				continue
			}
			switch doc := doc.(type) {
			case *apps.Deployment:
				seen = append(seen, "Deployment")
				ports := doc.Spec.Template.Spec.Containers[0].Ports
				for what, probe := range map[string]string{
					"liveness":  doc.Spec.Template.Spec.Containers[0].LivenessProbe.HTTPGet.Port.StrVal,
					"readiness": doc.Spec.Template.Spec.Containers[0].ReadinessProbe.HTTPGet.Port.StrVal,
					"startup":   doc.Spec.Template.Spec.Containers[0].StartupProbe.HTTPGet.Port.StrVal,
				} {
					if len(ports) != 1 || ports[0].Name != probe {
						t.Errorf("the %s probe asks port %q, the container has %v", what, probe, ports)
					}
				}
			case *policy.PodDisruptionBudget:
				seen = append(seen, "PodDisruptionBudget")
			case scaledObject:
				seen = append(seen, "ScaledObject")
			}
		}
	}
	if want := []string{"Deployment", "PodDisruptionBudget", "ScaledObject"}; !slices.Equal(seen, want) {
		t.Errorf("the manifests have %v, want %v", seen, want)
	}
}

// TestMistakes: a manifest with one wrong word is refused.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, mistake := range []struct{ path, right, wrong string }{
		{"../kubernetes/worker.yaml", "replicas: 3", "replica: 3"},
		{"../kubernetes/worker.yaml", "replicas: 3", "replicas: three"},
		{"../kubernetes/worker.yaml", "terminationGracePeriodSeconds", "terminationGracePeriod"},
		{"../kubernetes/worker.yaml", "readinessProbe", "readyProbe"},
		{"../kubernetes/worker.yaml", "timeoutSeconds", "timeout"},
		{"../kubernetes/worker.yaml", "readOnlyRootFilesystem", "readonlyRootFilesystem2"},
		{"../kubernetes/worker.yaml", "secretName", "secret"},
		{"../kubernetes/worker.yaml", "maxUnavailable: 1", "maxUnavailables: 1"},
		{"../kubernetes/worker.yaml", "policy/v1", "policy/v2"},
		{"../kubernetes/worker.yaml", "memory: 512Mi", "memory: 512 MiB"},
		{"../kubernetes/keda.yaml", "maxReplicaCount", "maxReplicas"},
		{"../kubernetes/keda.yaml", "scaleTargetRef", "target"},
		{"../kubernetes/keda.yaml", "cooldownPeriod: 300", "cooldownPeriod: 5m"},
	} {
		refused := false
		for _, text := range documents(t, mistake.path) {
			bad := strings.ReplaceAll(string(text), mistake.right, mistake.wrong)
			if bad == string(text) {
				continue
			}
			_, err := read([]byte(bad))
			refused = refused || err != nil
		}
		if !refused {
			t.Errorf("%s with %q is taken", mistake.path, mistake.wrong)
		}
	}
}

// dockerfile reads it as BuildKit does before it runs anything.
func dockerfile(text string) (warnings []string, err error) {
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	for _, w := range result.Warnings {
		warnings = append(warnings, w.Short)
	}
	stages, _, err := instructions.Parse(result.AST, linter.New(&linter.Config{
		Warn: func(rule, _, _, message string, _ []parser.Range) { warnings = append(warnings, rule+": "+message) },
	}))
	if err == nil && len(stages) != 2 {
		err = errors.New("it has another number of stages than two")
	}
	return warnings, err
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := dockerfile(string(text))
	if err != nil || len(warnings) > 0 {
		t.Errorf("%v, warnings %v", err, warnings)
	}
	for _, mistake := range []struct{ right, wrong string }{
		{"WORKDIR", "WORKINGDIR"}, {"--mount=type=cache,target", "--mounts=type=cache,target"}, {"COPY --from=build /worker /worker", "COPY --form=build /worker /worker"},
		{"EXPOSE 8081", "EXPOSE"}, {"ENTRYPOINT", "ENTRYPONT"}, {"AS build", "AS build twice"},
	} {
		bad := strings.Replace(string(text), mistake.right, mistake.wrong, 1)
		if warnings, err := dockerfile(bad); err == nil && len(warnings) == 0 || bad == string(text) {
			t.Errorf("a Dockerfile with %q is taken", mistake.wrong)
		}
	}
}
