package KTP::DamageRun;

# Sends damaged images to a ktp-extractd and keeps the books.

use strict;
use warnings;

use Time::HiRes qw(time);

use KTP::Damage;
use KTP::Nginx;
use KTP::Specimen;

# What an image may be answered with, by the contract.
my %Expected = map { $_ => 1 } (
    '200 -', '400 INVALID_PAYLOAD_IMAGE_FORMAT',
    '400 INVALID_PAYLOAD_IMAGE_SIZE', '400 INVALID_PAYLOAD_IMAGE_MISSING',
    '400 KTP_NOT_DETECTED',
);


# The images to be damaged: cards, and more pages, which are quicker.
sub images {
    my @size = ('--size', '800x560');

    return (
        (KTP::Specimen::draw(1, @size))[0],
        (KTP::Specimen::draw(2, @size, '--page', '--quality', 60))[0],
        (KTP::Specimen::draw(3, @size, '--page', '--gray'))[0],
        (KTP::Specimen::draw(4, @size, '--png'))[0],
        (KTP::Specimen::draw(5, @size, '--png', '--page'))[0],
    );
}


# count images, each once, a few at a time, or fewer when each->(how many so
# far) says so by being true.  {count => n, answers => {"400 CODE" => n},
# unexpected => [what], slowest => seconds, peak => kB of the largest worker
# seen}.
sub run {
    my ($daemon, $count, $seed, $each) = @_;

    my $damage = KTP::Damage->new($seed, images());
    my %book = (answers => {}, unexpected => [], slowest => 0, peak => 0);
    my @open;

    for my $i (1 .. $count) {
        my ($data, $what) = $damage->next;
        my $type = $data =~ /^\xff\xd8/ ? 'image/jpeg' : 'image/png';

        push @open, { what => "image $i of seed $seed ($what)",
                      begun => time(),
                      connection => $daemon->send(type => $type,
                                                  body => $data) };
        note_answer($daemon, \%book, shift @open) if @open >= 4;
        $book{count} = $i;
        last if $each && $each->($i);
    }

    note_answer($daemon, \%book, $_) for @open;

    return \%book;
}


sub note_answer {
    my ($daemon, $book, $request) = @_;

    my $answer = $request->{connection}->answer(300);
    my $seconds = time() - $request->{begun};
    my $key = 'nothing';

    if ($answer && $answer->{json}) {
        $key = "$answer->{status} " . ($answer->{json}{error_code} // '-');
    }

    $book->{answers}{$key}++;
    $book->{slowest} = $seconds if $seconds > $book->{slowest};
    push @{ $book->{unexpected} }, "$request->{what}: $key"
        unless $Expected{$key};

    for my $pid ($daemon->children) {
        my ($peak) = KTP::Nginx::read_file("/proc/$pid/status")
            =~ /^VmHWM:\s*(\d+)/m;
        $book->{peak} = $peak if ($peak // 0) > $book->{peak};
    }
}


1;
