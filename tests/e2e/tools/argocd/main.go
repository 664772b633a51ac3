/*
 * Prints the script with which Argo CD judges the health of SealedSecrets, as
 * it is in the release that go.mod names.
 */
package main

import (
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/v3/resource_customizations"
)

func main() {
	script, err := resource_customizations.Embedded.ReadFile(
		"bitnami.com/SealedSecret/health.lua")
	if err != nil {
		fmt.Fprintln(os.Stderr, "argocd-health:", err)
		os.Exit(1)
	}
	os.Stdout.Write(script)
}
