/*
 * Private RSA-4096 OAEP operations, as bare as OpenSSL does them: a key and a
 * ciphertext, and for each thread a prepared context.
 */
#ifndef BENCH_RSA_H
#define BENCH_RSA_H

struct rsa_work;
struct rsa_opener;

struct rsa_work *rsa_work_new(void); /* makes a key; kept to the end */
struct rsa_opener *rsa_opener_new(const struct rsa_work *w);
void rsa_opener_free(struct rsa_opener *o);
void rsa_open(struct rsa_opener *o); /* one decryption */

#endif
