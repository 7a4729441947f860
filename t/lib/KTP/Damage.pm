package KTP::Damage;

# Damaged images, from a seed: what a bad line, a bad disk or a bad will
# makes of a JPEG or PNG file.  An intake that wants a whole file would keep
# most of it away from the decoder, so that many get a good end or a right
# checksum again.

use strict;
use warnings;

use Compress::Zlib qw(crc32);

my @Kinds = qw(flips head burst cut splice drop repeat);


# A source of damage to the images of a list: next() gives one after the
# other, for ever.
sub new {
    my ($class, $seed, @images) = @_;

    return bless { state => $seed & 0x7fffffff, images => \@images }, $class;
}


# 0 to n - 1; Perl's own generator differs between builds (this one is
# Lehmer's, by Park and Miller).
sub roll {
    my ($self, $n) = @_;

    $self->{state} = $self->{state} * 48271 % 2147483647 || 1;

    return $self->{state} % $n;
}


sub pick {
    my ($self, @list) = @_;

    return $list[ $self->roll(scalar @list) ];
}


# A damaged image, and what was done to it.
sub next {
    my ($self) = @_;

    my $kind = $self->pick(@Kinds);
    my $image = $self->pick(@{ $self->{images} });
    my $jpeg = $image =~ /^\xff\xd8/;
    my $data = $self->$kind($image);
    my $mended = $self->roll(3);

    if ($mended) {
        $data = $jpeg ? $data . "\xff\xd9" : mend_png($data);
    }

    return ($data, ($jpeg ? 'JPEG' : 'PNG') . ", $kind"
                   . ($mended ? ', mended' : ''));
}


sub flips {
    my ($self, $data) = @_;

    $self->flip(\$data, 0, length $data) for 0 .. $self->roll(64);

    return $data;
}


# tables, dimensions, colour types
sub head {
    my ($self, $data) = @_;

    $self->flip(\$data, 2, 700) for 0 .. $self->roll(6);

    return $data;
}


sub flip {
    my ($self, $data, $from, $to) = @_;

    my $at = $from + $self->roll($to - $from);

    substr($$data, $at, 1) ^= chr(1 << $self->roll(8));
}


sub burst {
    my ($self, $data) = @_;

    my $at = $self->roll(length $data);
    my $len = 1 + $self->roll(400);
    my $noise = join '', map { chr $self->roll(256) } 1 .. $len;

    substr $data, $at, $len, $noise;

    return $data;
}


sub cut {
    my ($self, $data) = @_;

    return substr $data, 0, 24 + $self->roll(length($data) - 24);
}


sub splice {
    my ($self, $data) = @_;

    my $other = $self->pick(@{ $self->{images} });

    return substr($data, 0, $self->roll(length $data))
         . substr($other, $self->roll(length $other));
}


sub drop {
    my ($self, $data) = @_;

    my $at = $self->roll(length $data);

    substr $data, $at, 1 + $self->roll(2000), '';

    return $data;
}


sub repeat {
    my ($self, $data) = @_;

    my $at = $self->roll(length $data);
    my $piece = substr $data, $at, 1 + $self->roll(2000);

    substr $data, $at, 0, $piece x (1 + $self->roll(4));

    return $data;
}


# Checksums of all chunks that can still be told, and an end.
sub mend_png {
    my ($data) = @_;

    my $pos = 8;

    while ($pos + 12 <= length $data) {
        my $len = unpack 'N', substr $data, $pos, 4;
        last if $pos + 12 + $len > length $data;

        my $sum = crc32(substr $data, $pos + 4, 4 + $len);
        substr $data, $pos + 8 + $len, 4, pack 'N', $sum;
        $pos += 12 + $len;
    }

    # what hangs over becomes a chunk of its own
    if (length $data > $pos + 8) {
        my $rest = substr $data, $pos + 8;
        my $chunk = 'IDAT' . $rest;

        $data = substr($data, 0, $pos)
              . pack('N', length $rest) . $chunk . pack 'N', crc32($chunk);
    }

    my $end = 'IEND';

    return $data . pack('N', 0) . $end . pack 'N', crc32($end);
}


1;
