# Bad values of ktp_client, ktp_zone and ktp_auth: what "nginx -t" says of
# each, with its file and line; and what it warns of.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Test::More;

my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $hash = 'a1' x 32;
my $long = 'n' x 65;

# nginx -t of something in http; status and text
sub try_http {
    my ($http, $server) = @_;

    return $nginx->test($nginx->config(
        main => KTP::load_module(), http => $http, server => $server // ''));
}

# [directives in a client's block, what nginx says]
my @client = (
    ['nonsense;', 'unknown directive "nonsense" in client "app"'],

    ['key_sha256;', 'invalid number of arguments in "key_sha256" directive'],
    ["key_sha256 $hash $hash $hash;",
     'invalid number of arguments in "key_sha256" directive'],
    (map {
        ["key_sha256 $_;", 'invalid SHA-256 in "key_sha256" directive, it '
                           . 'must be 64 hexadecimal digits']
    } substr($hash, 1), "${hash}a", 'g' x 64, "$hash " . 'x' x 64),
    ["key_sha256 $hash; key_sha256 $hash;",
     '"key_sha256" directive is duplicate'],

    ['quota;', 'invalid number of arguments in "quota" directive'],
    (map { ["quota $_;", "invalid quota \"$_\""] }
         qw(many 10 -1/day /day 1.5/day 1k/day 1099511627776/day
            99999999999999999999/day)),
    (map {
        ["quota $_;", "invalid period of quota \"$_\" in \"quota\" "
                      . 'directive, it must be NUMBER/day, NUMBER/month, or ']
    } qw(1/week 1/ 1/days 1/DAY)),
    ['quota 1/day; quota 2/day;', '"quota" directive is duplicate'],
    ['quota 1/day quietly;', 'invalid parameter "quietly"'],
    ['quota 1/day shadow shadow;', 'invalid parameter "shadow"'],
    (map {
        ["quota 1/day offset=$_;",
         "invalid offset \"offset=$_\" in \"quota\" directive, it must be in "
         . 'the form "offset=+07:00"']
    } qw(7 +7 +07 +0700 07:00 +24:00 +07:60 +07-00 +07:00Z), ''),

    (map { ["rate $_;", "invalid rate \"$_\""] }
         qw(10 10/h 0/s -1/s /s 1.5/s 10/sec 1000001/s 10/s/s)),
    ['rate 1/s; rate 1/s;', '"rate" directive is duplicate'],
    ['rate 1/s now;', 'invalid parameter "now"'],
    (map { ["rate 1/s burst=$_;", "invalid burst value \"burst=$_\""] }
         qw(0 x -1 1000001), ''),

    ['max_inflight;',
     'invalid number of arguments in "max_inflight" directive'],
    ['max_inflight 1 2;',
     'invalid number of arguments in "max_inflight" directive'],
    (map {
        ["max_inflight $_;", "invalid value \"$_\" in \"max_inflight\" "
                             . 'directive, it must be a number of at least 1']
    } qw(0 -1 x 1.5 50% 99999999999999999999)),
    ['max_inflight 1; max_inflight 1;',
     '"max_inflight" directive is duplicate'],

    ['fields;', 'invalid number of arguments in "fields" directive'],
    ['fields nik shoe_size;', 'unknown field "shoe_size"'],
    ['fields nik nik;', 'duplicate field "nik"'],
    ['fields all nik;', 'unknown field "all"'],
    ['fields nik; fields all;', '"fields" directive is duplicate'],

    ['mask shoe_size;', 'unknown field "shoe_size"'],
    ['mask shoe_size=full;', 'unknown field "shoe_size"'],
    ['mask image_quality;', 'field "image_quality" cannot be masked'],
    ['mask nik nik=full;', 'duplicate field "nik"'],
    (map { ["mask nik=$_;", "invalid mask \"nik=$_\" in \"mask\" directive, it must be "] } qw(half first first: first:0 first:65 last:x), ''),
    ['mask nik; mask nik;', '"mask" directive is duplicate'],

    ['disabled yes;', 'invalid number of arguments in "disabled" directive'],
    ['disabled; disabled;', '"disabled" directive is duplicate'],
);

# of an included file, whose third line is the one that is told
for my $row (@client) {
    my ($text, $message) = @$row;
    my $file = "$prefix/conf/client.conf";

    KTP::Nginx::write_file($file, "ktp_client app {\n\n    $text\n}\n");

    my ($status, $said) = try_http("ktp_zone k:1m;\n"
                                   . "include $prefix/conf/client*.conf;");

    isnt($status, 0, "$text is refused");
    like($said, qr/^nginx: \[emerg\] \Q$message\E.* in \Q$file\E:3$/m,
         "$text: why and where");
}

my @http = (
    ['ktp_client { }', 'invalid number of arguments in "ktp_client" directive'],
    ['ktp_client a;', 'directive "ktp_client" has no opening "{"'],
    ['ktp_client a { } ktp_client a { }', 'duplicate client "a"'],
    (map {
        ["ktp_client $_ { }",
         'invalid client name "' . ($_ =~ s/^'(.*)'$/$1/r
                                       =~ s/\\\\/\\/r)
         . '" in "ktp_client" directive, it must be 1 to 64 visible ASCII '
         . 'characters']
    } "''", '$name', "'a b'", $long, "\xc3\xa9", "'a\"b'", "'a\\\\b'"),
    ['ktp_client a { quota 1/day; }',
     '"quota" or "rate" of client "a" requires "ktp_zone" in '],
    ['ktp_client a { rate 1/s; }',
     '"quota" or "rate" of client "a" requires "ktp_zone" in '],

    ['ktp_zone k:1m; ktp_client a { quota 1/day fleet; }',
     '"fleet" of a quota or rate of client "a" requires "ktp_redis" in '],
    ['ktp_zone k:1m; ktp_client a { rate 1/s fleet; }',
     '"fleet" of a quota or rate of client "a" requires "ktp_redis" in '],
    (map {
        my ($name, $limit) = @$_;

        ["ktp_zone k:1m; ktp_redis 127.0.0.1; ktp_client '$name' { $limit; }",
         "name of client \"$name\" must not have braces for \"fleet\" of a "
         . 'quota or rate in ']
    } ['}a', 'quota 1/day fleet'], ['a{b', 'rate 1/s fleet'],
      ['a}', 'rate 1/s burst=1 fleet']),
    ['ktp_client a { quota 1/day fleet shadow; }',
     '"quota" directive has both "fleet" and "shadow"'],

    ['ktp_zone k;', 'invalid zone size "k"'],
    ['ktp_zone :1m;', 'invalid zone size ":1m"'],
    ['ktp_zone k:1x;', 'invalid zone size "k:1x"'],
    ['ktp_zone k:8k;', 'zone "k:8k" is too small'],
    ['ktp_zone k:1m; ktp_zone l:1m;', '"ktp_zone" directive is duplicate'],
    ['ktp_zone k:1m file=/x;', 'invalid parameter "file=/x"'],
    ['ktp_zone k:1m state=;', 'invalid parameter "state="'],
    ['ktp_zone k:32k; ' . join(' ', map { "ktp_client c$_ { }" } 1 .. 500),
     'ktp_zone "k" is too small for 500 clients, has room for '],

    ['ktp_auth maybe;', 'invalid value "maybe" in "ktp_auth" directive, it '
                        . 'must be "on", "off", "ticket", or a variable'],
    ['ktp_auth on; ktp_auth on;', '"ktp_auth" directive is duplicate'],
    ['ktp_auth $no_such_variable;', 'unknown "no_such_variable" variable'],
    ['ktp_auth on off;',
     'invalid number of arguments in "ktp_auth" directive'],
);

for my $row (@http) {
    my ($text, $message) = @$row;
    my ($status, $said) = try_http($text);
    my $name = substr $text, 0, 60;

    isnt($status, 0, "$name is refused");
    like($said, qr/\[emerg\] \Q$message\E/, "$name: why");
}

for my $text ('ktp_client a { }', 'ktp_zone k:1m;') {
    my ($status, $said) = try_http('', $text);
    my ($word) = $text =~ /(\w+)/;

    like($said, qr/"$word" directive is not allowed here/,
         "$word is of http only");
}

# all that a client can have, twice, by an include inside too
KTP::Nginx::write_file("$prefix/conf/inner.inc", "disabled;\n");
my ($status, $said) = try_http(<<EOC);
    ktp_client Full.Name-1\@x=y,z {
        key_sha256 $hash @{[ uc $hash ]};
        quota 1000/day offset=+07:00;
        quota 1099511627775/month shadow offset=-23:59;
        quota 0/total;
        rate 10/s burst=20;
        fields nik full_name image_quality;
        mask nik=last:4 full_name address=hash;
        include $prefix/conf/inner.inc;
    }
    ktp_client @{[ substr $long, 1 ]} { rate 600/m; fields all; mask none; }
    ktp_zone k:1m;
    ktp_auth on;
EOC
is($status, 0, 'all of it is right') or diag($said);
unlike($said, qr/\[(?:warn|emerg)\]/, 'and without a warning');

done_testing();
