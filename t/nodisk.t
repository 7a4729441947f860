# An image is in memory only: no file below nginx's temporary paths while it
# arrives, while the upstream has it, or afterwards; and neither credential
# is in a log at level debug.

use strict;
use warnings;

use lib 't/lib';
use File::Find;
use IO::Socket::INET;
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $gate = "$prefix/html/gate";
my $url = $upstream->url;

# as small as it gets: what does not fit would go to a file
my $conf = $nginx->config(main => KTP::load_module(), server => <<EOC);
        client_body_buffer_size 1k;
        client_body_in_file_only off;
        ktp_app_id $KTP::App_id;
        ktp_api_key $KTP::Api_key;
        location = /e { ktp_pass $url/x; }
EOC

$nginx->start($conf) or BAIL_OUT($nginx->complaint);

# what is below the prefix but logs, configuration and documents, and what
# nginx has open there
sub files {
    my @files;

    find(sub {
        push @files, $File::Find::name
            if -f && $File::Find::name !~ m{^\Q$prefix\E/(?:logs|conf|html)/};
    }, $prefix);

    push @files, grep {
        m{^/} && !m{^/dev/|\.log$|^/proc/|/logs/|valgrind|vgdb|/nginx$}
    } map { readlink($_) // () } glob '/proc/' . $nginx->pid . '/fd/*';

    return join ' ', @files;
}

my $image = jpeg(800, 600, size => 2_000_000);
my %bodies = (
    'application/json' => json_body($image),
    'multipart/form-data; boundary=ktp' =>
        multipart(['image', $image, 'a.jpg', 'image/jpeg']),
    'image/jpeg' => $image,
);

for my $type (sort keys %bodies) {
    for my $framing ('length', 'chunked') {
        my $body = $bodies{$type};
        my $header = 'Content-Length: ' . length $body;

        if ($framing eq 'chunked') {
            $body = chunked($body, 60_000);
            $header = 'Transfer-Encoding: chunked';
        }

        upload("$type, $framing", $type, $header, $body);
    }
}

my $logs = $nginx->log_from
         . KTP::Nginx::read_file("$prefix/logs/access.log")
         . KTP::Nginx::read_file("$prefix/logs/stderr");

like($logs, qr/\[debug\].*ktp/, 'the log has the level debug');
unlike($logs, qr/\Q$KTP::App_id\E/, 'the App-ID is in no log');
unlike($logs, qr/\Q$KTP::Api_key\E/, 'the API-Key is in no log');
unlike($logs, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();


sub upload {
    my ($name, $type, $header, $body) = @_;

    $upstream->reset;
    unlink $gate;
    $upstream->answer({until => $gate},
                      KTP::Upstream::response('200 OK', $KTP::Upstream::Body));

    my $half = length($body) / 2;
    my $offset = length $nginx->log_from;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->port);

    print $sock "POST /e HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
              . "Content-Type: $type\r\n$header\r\n\r\n"
              . substr $body, 0, $half;
    $sock->flush;
    $nginx->settle;

    is(files(), '', "$name: no file while the body arrives");

    print $sock substr $body, $half;
    $sock->flush;

    ok($upstream->wait_calls(1), "$name: the upstream has the image");
    is(files(), '', "$name: no file while the upstream has it");

    KTP::Nginx::write_file($gate, '');

    local $/;
    my $answer = <$sock>;

    like($answer, qr{^HTTP/1\.1 200 }, "$name: the answer");
    is(files(), '', "$name: no file afterwards");
    unlike($nginx->log_from($offset), qr/buffered to a temporary file/,
           "$name: none in between");
}
