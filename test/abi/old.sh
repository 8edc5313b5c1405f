#!/bin/sh
# A plugin made with the headers of ABI version 1.0 works: old.sh ASK PLUGIN
want="grant subject=/O=ir device mac dev1 ec:P-256 127.0.0.1/CN=0102 7 1767225600000 san=DNS:a.example.org"
got=$("$1" "$2")
echo 1..1
if [ "$got" = "$want" ]; then
	echo "ok 1 - a plugin of version 1.0 works"
else
	echo "not ok 1 - a plugin of version 1.0 works"
	echo "# got    $got"
	echo "# wanted $want"
fi
