/// Three images of 2x2 in colour with the values 0 to 35, in chunks and compressed, their labels 1, 0, 1 as bytes, and
/// the class names cat and dög, as written by h5py 3.7; gzip, in base 64.
let chunkedImagesByH5py =
  """
  H4sIAAAAAAACA+3aS07CQBgH8JkpKL5ikYfPGBIvYOIFMIqyMELURFdKLUVNwA0uOILuUNQzeALXTdy49Ai+vYFb7XRmhDYqSmLE\
  +P8l8DEPvtJh2gLDQXp2rq97pJtwoRAJEJ00epHsKW9ZtedkpDLuy3jGVL3mtg3Jel3mvxrz9l9ZSqV47xcftZ3JgHo+/Efp1HSW\
  xzVZVvPpknn77ZSMLatMSNHYtIrl+rxMtrhdSjpEDqrKaREDokKT/Zgvar74cbvuptbfNhFy74NO5GUmDh/SQxLuA/r2Ong7JXmr\
  UDT2LCIPD6c2IfKyYCVY36S6afU9mWxpPJYXM7PUSRWS5YT2eX91vNqjmMON+PmOj6P/fJf4Zh47ImLcN7+auY54y6zJPKV4ywAA\
  AAAAAH5VZd3M5TcLhmU+Xd/fPt483A3q0YF4OBbpJF1RGqus16rHR6eHJ7XV7MpSIcnI8Dg1Kb7PAQAA/GGUBH3rE2JlhFLv+sSX\
  1xsYo6JW5NHoc8SbQam25XiE5YqDfx2yl2zL8eklUWffzKJRLm/sGiW+WOQYdsZLf2dc1Di+97u4PVGvCzSU8dkKAAB+2vxMZsG9\
  3ujea4/6P0D+4nzLf93iTGPPk8fux1gCAAAAAAAAtKtXtd36o8AzAAA=
  """
