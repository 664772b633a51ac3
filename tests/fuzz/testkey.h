/*
 * A key that protects nothing, in the forms that key Secrets come in. Made
 * with openssl; the fingerprint is what ssh-keygen -l says of it.
 */
#ifndef TESTS_FUZZ_TESTKEY_H
#define TESTS_FUZZ_TESTKEY_H

/* clang-format off */
#define TESTKEY_FINGERPRINT "SHA256:4+XyfyEWBPcd405Z0vgjdhlYmgr37RlDAIpDauWw7N4"

#define TESTKEY_PKCS1 \
	"-----BEGIN RSA PRIVATE KEY-----\n" \
	"MIIEogIBAAKCAQEApw+WP7qGswzmnqfVFhcpRUyTMFttKWqcjoGer158zjd8Hpop\n" \
	"/yIP7OqgLOrpBI06Dwy3dZWLK53zT0SR8C7cuKIrPUMjyF1HquycEPlKxy64QQ+T\n" \
	"qaHH8kU4w+4QUjB0VhE563dMnW3YqlyUnOSZZyfbWnfjJzNrziXE0sD58QNrDx7P\n" \
	"sN/yHUcs1NQLXsAKH0PvKWodLZis/9GK0woVMGsu7NSKC4dSqFgDtmjwknq9lLTG\n" \
	"05h60YyZKjy0gtlMuzjQU7Yxy5uG/zWimDjT26SfEZlZ7Al0w7Et3cpCsaAzDehO\n" \
	"38YpEeiW7NGppDM338xBYGBRuwsSEHXgXofyNQIDAQABAoIBAAfYIESxSDJflHOW\n" \
	"K1f8cexmVlHytQs5DY1WckJHREJ1kf8o23h2m7tS3/8D77mOPQ/oV7Pud+iuI7bQ\n" \
	"4C5gMO59dNzNSoCVurAAqKpWXkfAfpfVeKhCJ66NSAdRJhSJ4GiLKgZPpXoN5prH\n" \
	"OpYsWLSihzb2AqU8UZ9OIDIKLCJAJJ0UUk0QpPou9kmsH/DpLum4m9dmJ3D+ucVj\n" \
	"HxLaFDuXzH5SlPt+Cz/KV2QH5VljUWgxNpec2Rqf/rna8q2vial5+njNltyo1WGY\n" \
	"Jgn5O5XGI7DfCr3NE23XRpXnXI/9/zNgMq/wbG6IhcI3i66MLu/euZ8J6C+bpwiW\n" \
	"AupB0PECgYEA3rgP5nbikU7rGC/23aS8x9rzocgaMbKvM+3kwo4piKt0rmkN2bL3\n" \
	"9bhaodnMvcINV17Dt13TKrS9egfwRa5DD4xEyBewS0XyAQ96HoumVTeCNDi6Qj32\n" \
	"fflJWXH6GM0qpYgzD8wTvQg1WWR8f4Ln2fFZbfJnAYxnEfmjX/Znm0UCgYEAwAZe\n" \
	"Q7omeJef/OG5wCPc9sdhKgCfpqsrdoX2+fpd4+BofM16K1EssvM6CMui18zbZSDd\n" \
	"DM/5yd1zZRw2DTxu3FOw9q2y3KoAHy46NHIgRLKsmc7D4S6ZTHFfvtwVgZvethFa\n" \
	"UC6e8fqwHgEEijqYgdhDvYyV/C29LLjf+nz88jECgYAHK6nnY6B7ySyshK7QCAPD\n" \
	"83qwlL6zJuuZImmhEe6oZczF6L/3aFmvYZYZa+e5nEvNqlFmz/CCiXsoOKU1uRyT\n" \
	"nZKBVrHoWoImIpdt8FUUnUrl34WvqEsNVz9TT+Ybck+TMMVkFs/z4BXHoQKZIF/S\n" \
	"loCol4tVc23GGGF4L3i6eQKBgEmkp5Y11/c7v0HOl9xWZLHH+T2Qi6nxz3NfIT7x\n" \
	"g/yW3buvWgEu2oOuwD0LS+KTUDjSh7QYNuXyJgVK8nfVC3c4KZARQZ1bHTzYD755\n" \
	"XmK6W3OJVpoPsv8cI+ogoabZTmpo8Uf6+T44ND7tiP4yRrbVZ/VT61mReRGjvVJl\n" \
	"iOShAoGAHXkjR6Fp+kBxmqb6T8w2cW1PAdOWq008Wud1DCNhEpFUR4x9+sm/tTIw\n" \
	"LCFZPHt3q/+cCjp7uwshURyF6OsxR70M+LKWiZxLcNbMeicC7H+Dd59MDAOju6f3\n" \
	"k7ahlyyhyr/4PqBHiQan/ZNMCnz8IAzkLRpFy4jfiP8d9Vq5Cts=\n" \
	"-----END RSA PRIVATE KEY-----\n"

#define TESTKEY_PKCS8 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCnD5Y/uoazDOae\n" \
	"p9UWFylFTJMwW20papyOgZ6vXnzON3wemin/Ig/s6qAs6ukEjToPDLd1lYsrnfNP\n" \
	"RJHwLty4ois9QyPIXUeq7JwQ+UrHLrhBD5OpocfyRTjD7hBSMHRWETnrd0ydbdiq\n" \
	"XJSc5JlnJ9tad+MnM2vOJcTSwPnxA2sPHs+w3/IdRyzU1AtewAofQ+8pah0tmKz/\n" \
	"0YrTChUway7s1IoLh1KoWAO2aPCSer2UtMbTmHrRjJkqPLSC2Uy7ONBTtjHLm4b/\n" \
	"NaKYONPbpJ8RmVnsCXTDsS3dykKxoDMN6E7fxikR6Jbs0amkMzffzEFgYFG7CxIQ\n" \
	"deBeh/I1AgMBAAECggEAB9ggRLFIMl+Uc5YrV/xx7GZWUfK1CzkNjVZyQkdEQnWR\n" \
	"/yjbeHabu1Lf/wPvuY49D+hXs+536K4jttDgLmAw7n103M1KgJW6sACoqlZeR8B+\n" \
	"l9V4qEInro1IB1EmFIngaIsqBk+leg3mmsc6lixYtKKHNvYCpTxRn04gMgosIkAk\n" \
	"nRRSTRCk+i72Sawf8Oku6bib12YncP65xWMfEtoUO5fMflKU+34LP8pXZAflWWNR\n" \
	"aDE2l5zZGp/+udryra+JqXn6eM2W3KjVYZgmCfk7lcYjsN8Kvc0TbddGledcj/3/\n" \
	"M2Ayr/BsboiFwjeLrowu7965nwnoL5unCJYC6kHQ8QKBgQDeuA/mduKRTusYL/bd\n" \
	"pLzH2vOhyBoxsq8z7eTCjimIq3SuaQ3Zsvf1uFqh2cy9wg1XXsO3XdMqtL16B/BF\n" \
	"rkMPjETIF7BLRfIBD3oei6ZVN4I0OLpCPfZ9+UlZcfoYzSqliDMPzBO9CDVZZHx/\n" \
	"gufZ8Vlt8mcBjGcR+aNf9mebRQKBgQDABl5DuiZ4l5/84bnAI9z2x2EqAJ+mqyt2\n" \
	"hfb5+l3j4Gh8zXorUSyy8zoIy6LXzNtlIN0Mz/nJ3XNlHDYNPG7cU7D2rbLcqgAf\n" \
	"Ljo0ciBEsqyZzsPhLplMcV++3BWBm962EVpQLp7x+rAeAQSKOpiB2EO9jJX8Lb0s\n" \
	"uN/6fPzyMQKBgAcrqedjoHvJLKyErtAIA8PzerCUvrMm65kiaaER7qhlzMXov/do\n" \
	"Wa9hlhlr57mcS82qUWbP8IKJeyg4pTW5HJOdkoFWsehagiYil23wVRSdSuXfha+o\n" \
	"Sw1XP1NP5htyT5MwxWQWz/PgFcehApkgX9KWgKiXi1VzbcYYYXgveLp5AoGASaSn\n" \
	"ljXX9zu/Qc6X3FZkscf5PZCLqfHPc18hPvGD/Jbdu69aAS7ag67APQtL4pNQONKH\n" \
	"tBg25fImBUryd9ULdzgpkBFBnVsdPNgPvnleYrpbc4lWmg+y/xwj6iChptlOamjx\n" \
	"R/r5Pjg0Pu2I/jJGttVn9VPrWZF5EaO9UmWI5KECgYAdeSNHoWn6QHGapvpPzDZx\n" \
	"bU8B05arTTxa53UMI2ESkVRHjH36yb+1MjAsIVk8e3er/5wKOnu7CyFRHIXo6zFH\n" \
	"vQz4spaJnEtw1sx6JwLsf4N3n0wMA6O7p/eTtqGXLKHKv/g+oEeJBqf9k0wKfPwg\n" \
	"DOQtGkXLiN+I/x31WrkK2w==\n" \
	"-----END PRIVATE KEY-----\n"

#define TESTKEY_CERT \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIDATCCAemgAwIBAgIUTWX3c8t80B7YXYRpDmsXh9io+fEwDQYJKoZIhvcNAQEL\n" \
	"BQAwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjQwNjMxMDVaGA8yMTI2MTAzMTA2\n" \
	"MzEwNVowDzENMAsGA1UEAwwEdGVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC\n" \
	"AQoCggEBAKcPlj+6hrMM5p6n1RYXKUVMkzBbbSlqnI6Bnq9efM43fB6aKf8iD+zq\n" \
	"oCzq6QSNOg8Mt3WViyud809EkfAu3LiiKz1DI8hdR6rsnBD5SscuuEEPk6mhx/JF\n" \
	"OMPuEFIwdFYROet3TJ1t2KpclJzkmWcn21p34ycza84lxNLA+fEDaw8ez7Df8h1H\n" \
	"LNTUC17ACh9D7ylqHS2YrP/RitMKFTBrLuzUiguHUqhYA7Zo8JJ6vZS0xtOYetGM\n" \
	"mSo8tILZTLs40FO2Mcubhv81opg409uknxGZWewJdMOxLd3KQrGgMw3oTt/GKRHo\n" \
	"luzRqaQzN9/MQWBgUbsLEhB14F6H8jUCAwEAAaNTMFEwHQYDVR0OBBYEFOgalL4P\n" \
	"4JHCjAHoMWZ+nvSdRnEdMB8GA1UdIwQYMBaAFOgalL4P4JHCjAHoMWZ+nvSdRnEd\n" \
	"MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBAFBkjYKuZi1fTx8F\n" \
	"tMRq3OJPbbUDtgBJ4ps/OuTw+dGmYiwICMJHLjwXJZ3KNAxHqGzSeWj6xZkR16Xb\n" \
	"T/8D8p47Y+xoHRIz9PiRKLxgLpkbA2MdWVCGQbHPdW8MXUBNiMHCQEv4glolq5WA\n" \
	"7w2BX0yPlITU2sFRbTBE6RVWAQKulNMeTxCjM5KrDD0iLLDj9dld61STZdv4BZ8I\n" \
	"zrtL1WllUOKbMkkB7T4ReKrAL1PlcPywv1i62Fhh5tVdu7vWhHpnYJv8DrVVrZLJ\n" \
	"hUwSBQkCefeDxgRnjmF4tFI4MHZ6yfJHljG4xVywdNOu9DT7r6ti4oiHVT7BhWjc\n" \
	"FulxM/c=\n" \
	"-----END CERTIFICATE-----\n"
/* clang-format on */

#endif
