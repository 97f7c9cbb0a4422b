package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.DamageSeed;
import dev.xip.image.FileType;
import dev.xip.image.RandomDamageContract;
import dev.xip.image.WholeReading;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;

class RandomDamageTest extends RandomDamageContract {
  RandomDamageTest() {
    super(new ExtFormat(), 12_000, 64L << 20);
  }

  @Override
  protected List<ExtDamageSeed> seeds(Path folder) throws IOException {
    return ExtDamageSeed.all(folder);
  }

  @Override
  protected void checkSound(DamageSeed seed, WholeReading reading) {
    boolean attributes = seed.kinds().contains(DamageSeed.Kind.ATTRIBUTE);
    assertThat(reading.types)
        .as(seed.name)
        .isEqualTo(EnumSet.complementOf(EnumSet.of(FileType.UNKNOWN)));
    // Before revision 1 there are none: e2fsck takes them away.
    assertThat(reading.attributes).as(seed.name).isEqualTo(attributes ? 6 : 0);
    assertThat(seed.kinds()).as(seed.name).hasSize(attributes ? 6 : 5);
    byte[] sealed = seed.sound.clone();
    ((ExtDamageSeed) seed).seals.put(sealed);
    assertThat(sealed).as("checksums of %s", seed.name).isEqualTo(seed.sound);
  }
}
