# docs/openapi.yaml against the gateway: an answer to each row of the tables of
# docs/contract.md, and the JSON requests that it accepts and rejects.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use JSON::PP;
use KTP ();
use KTP::Cases;
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;
my $jpeg = jpeg(800, 600);
my $doc = KTP::Nginx::read_file('docs/contract.md');
my $hash = sha256_hex('key');
my @exchanges;

$nginx->start($nginx->config(main => KTP::load_module(), http => <<"EOH",
        ktp_zone z:1m;
        ktp_answer_zone answers:1m;
        ktp_client one { key_sha256 $hash; }
        ktp_client off { key_sha256 $hash; disabled; }
        ktp_client none { key_sha256 $hash; quota 0/month; }
        ktp_client slow { key_sha256 $hash; rate 1/m; }
EOH
    server => <<"EOC")) or BAIL_OUT($nginx->complaint);
        location = /sandbox {
            ktp_sandbox on;
            ktp_nik_check on;
            ktp_pass $url/x;
        }
        location = /e { ktp_pass $url/x; }
        location = /ticket { ktp_auth ticket; ktp_pass $url/x; }
        location = /issue { ktp_auth on; ktp_ticket; }
        location = /key { ktp_auth on; ktp_pass $url/x; }
        location = /again { ktp_idempotency required; ktp_pass $url/x; }
        location = /small { client_max_body_size 1k; ktp_pass $url/x; }
        location = /gone { ktp_pass $url/x; return 404; }
        location = /414 { ktp_pass $url/x; return 414; }
        location = /slow { client_body_timeout 100ms; ktp_pass $url/x; }
EOC

my $port = $nginx->port;
my @type = ('Content-Type: image/jpeg');

sub note_answer {
    my ($name, $got) = @_;

    my %headers = map { /^([^:]+): (.*?)\r?$/ ? ($1, $2) : () }
                  split /\n/, $got->{head};

    push @exchanges, { name => $name, status => $got->{status} + 0,
                       path => $name =~ m{^/issue} ? '/v2/ktp/ticket'
                                                   : '/v2/ktp/extract',
                       headers => \%headers, body => $got->{body} };

    return $got;
}

sub upload {
    my ($uri, @headers) = @_;

    return note_answer($uri, post($port, $uri, $jpeg, @type, @headers));
}

# -- each row of the contract, by the sandbox

my (%wanted, %reasons);
my ($reasons) = $doc =~ /^### Reasons\n(.*?)(?=^##)/ms;

while ($reasons =~ /^\| `(\w+)` \| (\d+) \| `(\w+)` \|/mg) {
    my ($reason, $status, $code) = ($1, $2, $3);

    # a word of two rows selects the first; 504 takes no time by its status
    next if $reasons{$reason}++;

    my $id = 'sandbox-' . ($reason eq 'timeout' ? $status : $reason);
    my $got = upload("/sandbox?reference_id=$id");

    is($got->{status}, $status, "$reason is answered");
}

cmp_ok(scalar keys %reasons, '>', 70, 'the table of reasons was found');

for my $table ('Errors', 'Errors of the upstream') {
    my ($rows) = $doc =~ /^##+ $table\n(.*?)(?=^##)/ms;

    $wanted{"$1 $2"} = 1 while $rows =~ /^\| (\d+) \| `(\w+)` \|/mg;
}

upload("/sandbox?reference_id=sandbox-$_")
    for qw(ok not-detected fail-on-1 duplicate);

# -- the rest of the gateway: its own way to some of them, and header fields

upload('/e');
upload('/e', 'Content-Encoding: gzip');
upload('/key', 'App-ID: one', 'API-Key: wrong');
upload('/key', "App-ID: $_", 'API-Key: key') for qw(one off none slow slow);
upload('/ticket');
upload('/issue');
upload('/issue', "App-ID: $_", 'API-Key: key') for qw(one off);
note_answer('/issue by GET',
            KTP::Nginx::curl('-H', 'App-ID: one', '-H', 'API-Key: key',
                             "http://127.0.0.1:$port/issue"));
upload('/again');
upload('/again', 'Idempotency-Key: a') for 1, 2;
note_answer('reused', post($port, '/again', jpeg(800, 601), @type,
                           'Idempotency-Key: a'));
upload($_) for qw(/small /gone /414);
note_answer('a body that does not come',
            post($port, '/slow', ["\xff\xd8"], @type, 'Content-Length: 50'));
note_answer('GET', KTP::Nginx::curl("http://127.0.0.1:$port/e"));

for my $got ($exchanges[-1], grep { $_->{name} eq '/again' } @exchanges) {
    ok($got->{status}, "$got->{name}: an answer");
}

is(scalar(grep { $_->{headers}{'Idempotency-Replayed'} } @exchanges), 1,
   'one is replayed');

# -- JSON requests

my $bodies = 0;

for my $n (0 .. KTP::Cases::count() - 1) {
    my $row = KTP::Cases::row($n);

    # those whose mistake a schema can see
    next unless $row->{type} =~ /json/
        && ($row->{status} == 200 || ($row->{reason} // '')
            =~ /^(?:image_missing|image_null|not_object|image_not_string
                    |bad_flag|bad_reference_id|reference_not_string)$/x);

    my $body = eval { decode_json($row->{body} =~ s/^\xef\xbb\xbf//r) };

    next unless defined $body;
    $bodies++;
    push @exchanges, { name => $row->{name}, request => $body,
                       accepted => $row->{status} == 200 ? JSON::PP::true
                                                         : JSON::PP::false };
}

cmp_ok($bodies, '>', 15, 'there are JSON requests');

# -- the document

my $file = $nginx->prefix . '/exchanges.json';

KTP::Nginx::write_file($file, encode_json(\@exchanges));

my $said = qx{/usr/bin/python3 t/lib/openapi.py docs/openapi.yaml $file 2>&1};

is($?, 0, 'the document was read') or diag($said);
is_deeply([$said =~ /^fault: (.*)$/mg], [], 'it has no fault');
is(($said =~ /^checked: (\d+)$/m)[0], scalar @exchanges, 'all were compared');
is_deeply([sort $said =~ /^code: (.*)$/mg], [sort keys %wanted],
          'it lists the codes of the contract, and no others');
is(scalar(() = $nginx->log_from =~ /\[(?:alert|crit|emerg)\]/g), 0,
   'a clean log');

done_testing();
