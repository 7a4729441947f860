# Answers over a kept-alive connection, in parts: neither the answers before
# one, nor bytes that arrive while they are counted, are taken for its head.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $upstream = KTP::Upstream->new;

for (
    # name, options of nginx, bytes of a field, number of answers
    ['many answers', {}, 1_500, 100],
    ['large answers', {}, 250_000, 10],
    ['large answers that are counted late', { arrival => 1 }, 250_000, 10],
) {
    my ($name, $opt, $size, $n) = @$_;

    my $nginx = KTP::Nginx->new(%$opt);

    $nginx->start($nginx->config(main => KTP::load_module(), server => <<EOC))
        location = /x { ktp_pass @{[$upstream->url]}/x; }
EOC
        or BAIL_OUT($nginx->complaint);

    my $body = $KTP::Upstream::Body =~ s/SPECIMEN/'x' x $size/er;
    my $whole = KTP::Upstream::response('200 OK', $body);
    my $head = index($whole, "\r\n\r\n") + 4;
    my $connections = $upstream->connections;
    my %got;

    $upstream->answer(substr($whole, 0, $head + 100), { delay => 0.01 },
                      substr($whole, $head + 100));

    for (1 .. $n) {
        my $answer = post($nginx->port, '/x', jpeg(800, 600),
                          'Content-Type: image/jpeg');

        $got{"$answer->{status} " . ($answer->{body} eq $body)}++;
    }

    is_deeply(\%got, { '200 1' => $n }, "$name: all as they were sent")
        or diag(explain(\%got));
    is($upstream->connections - $connections, 1, "$name: over one connection");

    $nginx->stop;
    is($nginx->reports, '', "$name: no report");
}

done_testing;
