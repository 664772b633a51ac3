#!/bin/bash
#
# Each command about Sealed Secrets of a platform team's handbook, as it is
# written there, against the overlay made for it.
#
# shellcheck disable=SC2154,SC2317

# sealed_value VALUE: the handbook's way from a value to a file for Git.
seal_by_the_book() {
	kubectl create secret generic database-credentials \
	    --namespace=app-team \
	    --from-literal=DB_PASSWORD="$1" \
	    --dry-run=client -o yaml |
	    kubeseal --cert pub-cert.pem --format yaml \
	        >database-credentials-sealed.yaml
	git add database-credentials-sealed.yaml
	git -c user.name=e2e -c user.email=e2e@example.com \
	    commit -m "chore: seal database-credentials for app-team"
}

book_install() {
	kubectl apply -k "$(overlay handbook)"
	instance_start sealed-secrets sealed-secrets-controller book-0 8080
	endpoints sealed-secrets sealed-secrets book-0
	endpoints sealed-secrets sealed-secrets-controller book-0
	kubelet_logs sealed-secrets book-0
}

book_seals_and_updates() {
	local one two
	one=$(plain) two=$(plain)
	kubeseal --fetch-cert \
	    --controller-name=sealed-secrets \
	    --controller-namespace=sealed-secrets \
	    >pub-cert.pem
	kubeseal --fetch-cert --controller-namespace=sealed-secrets |
		cmp - pub-cert.pem
	seal_by_the_book "$one"
	kubectl apply -f database-credentials-sealed.yaml
	unsealed app-team database-credentials "DB_PASSWORD=$one"
	seal_by_the_book "$two"
	kubectl apply -f database-credentials-sealed.yaml
	unsealed app-team database-credentials "DB_PASSWORD=$two"
}

book_looks() {
	kubectl get pods -n sealed-secrets | grep -E '^book-0 .*Running'
	kubectl describe sealedsecret -n app-team database-credentials |
		grep 'SealedSecret unsealed successfully'
	kubectl logs -n sealed-secrets deploy/sealed-secrets-controller |
		tail -50 >tail.txt
	grep 'key=app-team/database-credentials' tail.txt
}

book_backs_up() {
	kubectl get secret -n sealed-secrets \
	    -l sealedsecrets.bitnami.com/sealed-secrets-key \
	    -o yaml >sealed-secrets-master-key-backup.yaml
}

# The cluster is lost: no key, no Secret, no SealedSecret, a new key.
book_loses_all() {
	instance_kill TERM sealed-secrets book-0
	# No kubelet ends the Pod, and the namespace waits for it.
	kubectl delete pod -n sealed-secrets book-0 --force --grace-period 0
	kubectl delete namespace sealed-secrets --timeout 60s
	kubectl delete sealedsecret -n app-team database-credentials
	within 30 gone secret -n app-team database-credentials
	book_install
	kubectl apply -f database-credentials-sealed.yaml
	refused app-team database-credentials "no key could decrypt secret"
}

# What a kubelet makes of the new template is done by hand.
book_restores() {
	kubectl apply -f sealed-secrets-master-key-backup.yaml
	kubectl rollout restart deploy/sealed-secrets-controller \
	    -n sealed-secrets
	kubectl get deployment -n sealed-secrets sealed-secrets-controller \
	    -o yaml | grep 'kubectl.kubernetes.io/restartedAt'
	instance_kill TERM sealed-secrets book-0
	instance_start sealed-secrets sealed-secrets-controller book-0 8080
	within 20 synced app-team database-credentials True
	exists secret -n app-team database-credentials
}

# The failure of the handbook's table, and its cure: sealed with a key that this
# cluster does not have.
book_mistakes() {
	local value
	value=$(plain)
	cp "$root/tests/vectors/keys/other2048.crt.pem" pub-cert.pem
	seal_by_the_book "$value"
	kubectl apply -f database-credentials-sealed.yaml
	refused app-team database-credentials "no key could decrypt secret"
	kubeseal --fetch-cert \
	    --controller-name=sealed-secrets \
	    --controller-namespace=sealed-secrets \
	    >pub-cert.pem
	seal_by_the_book "$value"
	kubectl apply -f database-credentials-sealed.yaml
	unsealed app-team database-credentials "DB_PASSWORD=$value"
}

by_the_book() {
	local dir=$RIG/book
	mkdir -p "$dir"
	cd "$dir" || return
	git init -q .
	kubectl create namespace app-team
	book_install
	book_seals_and_updates
	book_looks
	book_backs_up
	book_loses_all
	book_restores
	book_mistakes
	instance_kill TERM sealed-secrets book-0
	kubectl apply -f "$MANIFEST"
}

every_command_of_the_handbook_works_as_written() {
	alone by_the_book
}
test_case every_command_of_the_handbook_works_as_written
