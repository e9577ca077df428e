/// Numbers of every width and byte order, booleans, strings and compressed bytes, as written by h5py 3.7; gzip, in base
/// 64. Integers are 100, 0, 3, 2; booleans true, false; `column` is [[2], [1]]; strings are cat, dög, cat (fixed) and
/// cat, dög and empty (variable); `lzf` and `deflated` are 0 to 11 as [3, 2, 2].
let typesByH5py =
  """
  H4sIAAAAAAACA+1bf2wTVRz/vrt2u3bFdVs3tzKxIMiGGljXyTaEuR/UJpvZGLAtQoB27Uaha2HrcCwSE34MMRqRREKExIgkkjiCiEEkQIYzbC\
  oJQZQY/wHRKaBGE9QlaMS7d/euvetVTnHozvskl/fe9973vXefe/d9v763zVPjnmC2m2mGAYKbAqbN49OzBPlA31vWek9NI+VoqUpbHX/1UJlc\
  hvSH+YyvCqGZAgRgtQI0F/OSfsSH2ZlgiFVEYHkQgIYUYMAGEPJGg2HIYhU4HQqxENpBwqsAr/zYMDVJk/jK+YadyOI16m2CaguMGfpfnDkJNw\
  kBQja+5QbhHglpCyArQ56EASPbVtrMsG01IGCkeeEojFu881ThcVVcgDIXBg1x8dKp10+q7RcUTlklXJAPlNEAFzO/OHdNFRcmZS6sGuLip6H0\
  Ve6FC+dDt2Cc0AjARO5r8K55+yy2Wiq/ICWmcjXE1IRPFvT9PU1VDCJlBh0aYrD3wPYrUokfaIq/uKGX4gQ4opTGTIn9DCQitfchTgixvLHmJM\
  l2u/pIzIlksxw+damCk1dMjuVp9UbBP3iknQvpuHsG4SJpUgVJ43oQRRuMKamMyZzWs6x1hd/X5g20fnPpq8spgGZAdc6l/kOgQ4cOHTp0/GvA\
  M88hYb2O5iIY5CL5vx3+7rbmUgxJOyRzqQJhEmXVwFzq2sFyeuwmoyZlAks1RKD95/xfx4g9UGbPoyH2Pgo717kbPQ2QiuecVkjYvhsR0mRdKc\
  6AZXPmu1TWaIjTRAK7CKY9QmRfbo70Vi3y1ICRy5fGzcYLhmykDlLL9yerit0L2VwwIpuQo4T6GqCHrYPc6TMK/Qak4Yc/XG6qWlTnBuOO3w9b\
  YTcryoDK4fdtsJWN2uDC2kMOGMDSnLqPC+Eclpbc3FIOC7D06JypFfALlu5rzO4GM+KkRR9c3gCFWHo0fGQnZOPosgH/y9CPo8srG/bAXByd2N\
  r3Hvhw9PrnOwbxo2WA5dj567AOR4fnNW/XB5uxg9oFvpJVaNGQVbjRv7RO7QDNP/ajEi5WClw4NMDFieoVp9SOtUpcPKMhLg6GBwvUjpxKXOzX\
  EBejz55eqdZeKHExrCEuNuWWbZRzIZ8m0JMBlVL8KBx/aOWurGPXDosaF89nZfEEXWFk84zXxgUXO5cP94tcTGWbT8W4QDJOkApbek0+ruwfP/\
  1ic+fjFfJ+gZSePYm9uKGhTfPlJZWbbsmFDVCGo0LkwpUGrpvs8jCeE8ok4+TN8cdFrf+JETVc5LFSq9D3JQe7FM+F2ST7NsYhF8/t2lfyWHV9\
  HYp7EDkXXuUll3hoQMYb7qBBMv4IIXf4wMEo009Jop+aRJ+gJV1fK+jQoUOHDh06dOjQoUOHDh1/FfK9EFq2/qYZQFnCuVP8XpBd2P+wkIKOj2\
  8e7MazZ27JhYp9ofsFXsgvJ+NxX2hLway6+mpPrWV23N8sbcGegB9IV1CiJ97f1LKKk5tYRVZ1nbcz6PWFAqBEniLREPNG5TaE4r1VycYRSXMb\
  S5ZZnE4q39A1Xr9faCkFygcCXofPYSnmdAwwmSt9faALbnlCwGkji5NTo3m1cESdFkDTWL0ry4yVsfNSF/uIdIzOhHOQZHKlH1joNDvbeAQbDK\
  ychlBvG28DEP/NM5PY10JRBrbjswwTK8CV0CR8ARC+0/32pN1g+3OPkrnCtibxF0vmUWJWWWMSj5JyInuguvxTuUdJ3mxSB6ll4+jSMt6jhLRP\
  rUcJeUa5Rwm15MxF3qNkqPlADuwF7CSz3VqInUAyAa1vqIIX2GgWHNvjmQ9cgzNgybvLOrC9ygJL9q61MB1HLyzevRWWAOcaMufJ59+AWlxt9Z\
  QpA/A0jt43svoziOCoDfmH9DH1Pzay/7NWIZ/7NYD7MxHhO3xoEMuR2oXcuPb4iF0I3Vkeyk63n3J7aqrEnzs5XB1t6UCQGu7u8AU6uwbFz43x\
  RSKhgDfcRecTUUprJNTdEU6/hwiMIW9ne2DiJJI2tXV6W6PBSLhr+r1inmigJ9pV7BDTePisKBLrIWNirZOIaNbE0iViBn+gLeSNBvx5ZXpXvm\
  3g90/+ocXvP795L/vmQsFoNBR4KFjUJBpeIusu8lFyWdAZpsVu4Qu2s4JeQ4Kic59Rkqnb+XVKQkkup1VakqsrI6Ek16FMaUmuoZyEkkrP3y0t\
  qfRibkJJpd/mSUsqHbX/j97/Hy7s5eolPgAA
  """
