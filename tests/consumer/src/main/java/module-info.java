/** A module that uses xip's. */
module consumer {
  requires dev.xip;
}
