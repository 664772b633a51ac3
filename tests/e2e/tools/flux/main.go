/*
 * Says what Flux makes of an object, with Flux's own code: by the expressions
 * of healthCheckExprs, and by kstatus, which it uses where there are none.
 *
 *	flux-health CURRENT FAILED <OBJECT.json
 *
 * Prints two words, one a line: the verdict of the expressions, that of
 * kstatus. "Unknown" is an expression that failed; Flux asks again then.
 */
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func verdicts(current, failed string, object []byte) ([2]status.Status, error) {
	var u unstructured.Unstructured
	var verdict [2]status.Status

	if err := u.UnmarshalJSON(object); err != nil {
		return verdict, err
	}
	evaluator, err := cel.NewStatusEvaluator(
		&kustomize.HealthCheckExpressions{
			Current: current, Failed: failed})
	if err != nil {
		return verdict, err
	}
	ctx := context.Background()
	kind := schema.GroupKind{Group: "bitnami.com", Kind: "SealedSecret"}
	byExpressions, err := cel.NewStatusReader(ctx, nil, kind, evaluator).
		ReadStatusForObject(ctx, nil, &u)
	if err != nil {
		return verdict, err
	}
	byKstatus, err := status.Compute(&u)
	if err != nil {
		return verdict, err
	}
	verdict[0], verdict[1] = byExpressions.Status, byKstatus.Status
	return verdict, nil
}

func run() error {
	object, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	verdict, err := verdicts(os.Args[1], os.Args[2], object)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n", verdict[0], verdict[1])
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: flux-health CURRENT FAILED")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "flux-health:", err)
		os.Exit(1)
	}
}
