package KTP::Error;

# Error bodies of the contract.

use strict;
use warnings;

# What is like an error body of ours: its code, and its reason if given;
# where there is no request of nginx, as in ktp-extractd, it has no id.
sub like {
    my ($code, $reason) = @_;

    $reason //= '[a-z0-9_]+';

    return qr/^\{"message":"[^"]+","error_code":"$code","reason":"$reason"(?:,"[a-z_]+":[0-9]+)*(?:,"request_id":"[0-9a-f]{32}")?\}\s*$/;
}

1;
